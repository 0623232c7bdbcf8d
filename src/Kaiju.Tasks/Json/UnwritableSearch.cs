using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Commands;

namespace Kaiju.Tasks.Json;

/// <summary>
/// Finds the member for which a value could not be written, since the serializer names it for few faults only. It
/// writes the parts one by one and searches in the first part that fails. It runs only after a fault.
/// </summary>
internal sealed class UnwritableSearch
{
    private readonly string _root;
    private readonly int _maxDepth;
    private readonly JsonSerializerOptions _options;
    private readonly List<object> _open = [];

    private UnwritableSearch(string root, JsonSerializerOptions options)
    {
        _root = root;
        _options = options;
        _maxDepth = options.MaxDepth == 0 ? 64 : options.MaxDepth;
    }

    /// <summary>Makes the exception for a value that was not written.</summary>
    /// <param name="value">The value.</param>
    /// <param name="typeInfo">The JSON contract with which it was written.</param>
    /// <param name="place">The place of the value, such as <c>commands[1].params</c>.</param>
    /// <param name="thrown">The exception that writing it threw.</param>
    public static UnwritableException Find(object? value, JsonTypeInfo typeInfo, string place, Exception thrown)
    {
        var search = new UnwritableSearch(place, typeInfo.Options);

        // The second attempt may succeed, if a getter threw only once.
        return search.Find(value, typeInfo, place) ?? search.Describe(value, typeInfo.Type, place, thrown);
    }

    private UnwritableException? Find(object? value, JsonTypeInfo typeInfo, string place)
    {
        if (value is null || Try(() => JsonWriting.Discard(value, typeInfo)) is not { } thrown)
        {
            return null;
        }

        if (_open.Exists(open => ReferenceEquals(open, value)))
        {
            return Fault(place, "refers back to an object that holds it, and JSON cannot hold a cycle", thrown);
        }

        if (_open.Count > _maxDepth)
        {
            return TooDeep(thrown);
        }

        if (TypeInfoOf(value, typeInfo, place, out var own) is { } untyped)
        {
            return untyped;
        }

        if (Lossy.Reason(own!) is { } reason)
        {
            return Describe(value, own!.Type, place, new LossyTypeException(reason));
        }

        _open.Add(value);
        var found = FindWithin(value, own!, place);
        _open.RemoveAt(_open.Count - 1);
        return found ?? Describe(value, own!.Type, place, thrown);
    }

    private UnwritableException? FindWithin(object value, JsonTypeInfo typeInfo, string place) => typeInfo.Kind switch
    {
        JsonTypeInfoKind.Object => FindInMembers(value, typeInfo, place),
        JsonTypeInfoKind.Dictionary when value is IDictionary entries => FindInEntries(entries, typeInfo, place),
        JsonTypeInfoKind.Enumerable when value is IEnumerable items => FindInItems(items, typeInfo, place),
        _ => null,
    };

    private UnwritableException? FindInMembers(object value, JsonTypeInfo typeInfo, string place)
    {
        foreach (var property in typeInfo.Properties.Where(
            property => property is { Get: not null, CustomConverter: null }))
        {
            var memberPlace = JsonPath.Member(place, property.Name);
            object? member = null;
            if (Try(() => member = property.Get!(value)) is { } thrown)
            {
                return Unreadable(memberPlace, "its getter", thrown);
            }

            if (FindInPart(member, property.PropertyType, memberPlace) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private UnwritableException? FindInEntries(IDictionary entries, JsonTypeInfo typeInfo, string place)
    {
        UnwritableException? found = null;
        var thrown = Try(() =>
        {
            foreach (DictionaryEntry entry in entries)
            {
                var name = entry.Key as string ?? Convert.ToString(entry.Key, CultureInfo.InvariantCulture) ?? "";
                found = FindInPart(entry.Value, typeInfo.ElementType!, JsonPath.Member(place, name));
                if (found is not null)
                {
                    return;
                }
            }
        });
        return found ?? (thrown is null ? null : Unreadable(place, "the dictionary", thrown));
    }

    private UnwritableException? FindInItems(IEnumerable items, JsonTypeInfo typeInfo, string place)
    {
        var index = 0;
        UnwritableException? found = null;
        var thrown = Try(() =>
        {
            foreach (var item in items)
            {
                found = FindInPart(item, typeInfo.ElementType!, JsonPath.Entry(place, index++));
                if (found is not null)
                {
                    return;
                }
            }
        });
        return found ?? (thrown is null ? null : Unreadable(JsonPath.Entry(place, index), "the list", thrown));
    }

    private UnwritableException? FindInPart(object? value, Type declared, string place)
    {
        JsonTypeInfo? typeInfo = null;
        return value is null ? null
            : Try(() => typeInfo = _options.GetTypeInfo(declared)) is { } thrown
                ? DescribeType(declared, place, thrown, [])
            : Find(value, typeInfo!, place);
    }

    /// <summary>
    /// Finds the contract of a value that is declared as <c>object</c> or as a base type: that of its runtime type.
    /// </summary>
    private UnwritableException? TypeInfoOf(object value, JsonTypeInfo typeInfo, string place, out JsonTypeInfo? own)
    {
        JsonTypeInfo? found = typeInfo;
        var thrown = typeInfo.Type == typeof(object) || typeInfo.PolymorphismOptions is not null
            ? Try(() => found = _options.GetTypeInfo(value.GetType()))
            : null;
        own = found;
        return thrown is null ? null : DescribeType(value.GetType(), place, thrown, []);
    }

    /// <summary>Describes a type without a contract, often because of the type of one of its members.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "A member that was trimmed away has no fault.")]
    private UnwritableException DescribeType(Type type, string place, Exception thrown, HashSet<Type> seen)
    {
        seen.Add(type);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (!seen.Contains(property.PropertyType)
                && Try(() => _options.GetTypeInfo(property.PropertyType)) is { } inner)
            {
                var name = _options.PropertyNamingPolicy?.ConvertName(property.Name) ?? property.Name;
                return DescribeType(property.PropertyType, JsonPath.Member(place, name), inner, seen);
            }
        }

        return Describe(null, type, place, thrown);
    }

    private UnwritableException Describe(object? value, Type type, string place, Exception thrown)
    {
        var refused = $"is {TypeText.WithArticle(value?.GetType() ?? type)}, which cannot be written as JSON";
        if (Lossy.ReasonOf(thrown) is { } reason)
        {
            return Fault(place, $"{refused}: {reason}", thrown);
        }

        // Only its message distinguishes this fault of the serializer from others. Cycles were found before.
        if (thrown is JsonException && Reason(thrown).Contains("object cycle", StringComparison.Ordinal))
        {
            return TooDeep(thrown);
        }

        return value switch
        {
            double number when !double.IsFinite(number) => NotFinite(place, number, thrown),
            float number when !float.IsFinite(number) => NotFinite(place, number, thrown),
            Half number when !Half.IsFinite(number) => NotFinite(place, (double)number, thrown),
            JsonElement { ValueKind: JsonValueKind.Undefined } =>
                Fault(place, "is an undefined JsonElement; give a JSON value, which may be null", thrown),
            string text when StorableText.FindBad(text) is { } bad => Fault(
                place,
                $"is {JsonText.Quote(text)}, which contains {bad} and cannot be stored",
                $"is {JsonShape.Of(text)}, which contains {bad} and cannot be stored",
                thrown),
            char => Fault(place, "is half a character, a lone surrogate, which cannot be stored", thrown),
            _ => Fault(place, $"{refused}: {Reason(thrown)}", $"{refused}: {thrown.GetType().FullName}", thrown),
        };
    }

    private static UnwritableException NotFinite(string place, double number, Exception thrown) => Fault(
        place,
        string.Create(
            CultureInfo.InvariantCulture, $"is {number}, which JSON cannot hold; give a finite number, null or text"),
        thrown);

    private static UnwritableException Unreadable(string place, string what, Exception thrown)
    {
        var shape = $"cannot be read, as {what} threw {thrown.GetType().FullName}";
        return Fault(place, $"{shape}: {Reason(thrown)}", shape, thrown);
    }

    // Removes the serializer's path, since the message already names the place.
    private static string Reason(Exception thrown)
    {
        // The getter of Message may be the caller's code and throw.
        var message = "";
        Try(() => message = thrown.Message);
        var path = message.IndexOf(" Path: $", StringComparison.Ordinal);
        return (path < 0 ? message : message[..path]).TrimEnd('.');
    }

    private UnwritableException TooDeep(Exception thrown) => Fault(
        _root, string.Create(CultureInfo.InvariantCulture, $"is nested deeper than {_maxDepth} levels"), thrown);

    private static UnwritableException Fault(string place, string what, Exception thrown) =>
        Fault(place, what, what, thrown);

    private static UnwritableException Fault(string place, string what, string shape, Exception thrown) =>
        new($"{place} {what}.", $"{place} {shape}.", thrown);

    // The action calls getters and converters of the caller, which can throw any exception.
    private static Exception? Try(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
