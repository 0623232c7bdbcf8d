using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Commands;

namespace Kaiju.Tasks.Json;

/// <summary>
/// Finds the member for which a value could not be written: the serializer names it for few faults only. It writes the
/// parts one by one and goes down into the first that fails, so it costs something only where something is wrong.
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

    /// <summary>The fault of a value that was not written.</summary>
    /// <param name="value">The value.</param>
    /// <param name="typeInfo">As what it was to be written.</param>
    /// <param name="place">Its place, such as <c>commands[1].params</c>.</param>
    /// <param name="thrown">What writing it threw.</param>
    public static UnwritableException Find(object? value, JsonTypeInfo typeInfo, string place, Exception thrown)
    {
        var search = new UnwritableSearch(place, typeInfo.Options);

        // It may be written at the second try, by a getter that threw once.
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
    /// How a value is written that is declared as <c>object</c> or as a base of its type: as what it is.
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

    /// <summary>A type that has no contract, often because of the type of one of its members.</summary>
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

        // The serializer has no other way to tell this from its other faults. Cycles were found by their references.
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

    // Without the path of the serializer: the place is named already, and better.
    private static string Reason(Exception thrown)
    {
        // A message is the user's code as well.
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

    // It calls the user's getters and converters, which throw what they like.
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
