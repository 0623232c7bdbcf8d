using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Commands;

namespace Kaiju.Tasks.Serialization;

/// <summary>
/// Finds the member for which a value could not be written: the serializer names it for few faults only. It writes the parts one by one
/// and goes down into the first that fails, so it costs something only where something is wrong.
/// </summary>
internal sealed class UnwritableSearch
{
    private readonly string _root;
    private readonly int _maxDepth;
    private readonly List<object> _open = [];

    private UnwritableSearch(string root, JsonSerializerOptions options)
    {
        _root = root;
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
        foreach (var property in typeInfo.Properties.Where(property => property.Get is not null && property.CustomConverter is null))
        {
            var memberPlace = JsonPath.Member(place, property.Name);
            object? member = null;
            if (Try(() => member = property.Get!(value)) is { } thrown)
            {
                return Fault(
                    memberPlace,
                    $"cannot be read, as its getter threw {thrown.GetType().FullName}: {thrown.Message.TrimEnd('.')}",
                    $"cannot be read, as its getter threw {thrown.GetType().FullName}",
                    thrown);
            }

            if (FindInPart(member, property.PropertyType, typeInfo.Options, memberPlace) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private UnwritableException? FindInEntries(IDictionary entries, JsonTypeInfo typeInfo, string place)
    {
        foreach (DictionaryEntry entry in entries)
        {
            var name = entry.Key as string ?? Convert.ToString(entry.Key, CultureInfo.InvariantCulture) ?? "";
            if (FindInPart(entry.Value, typeInfo.ElementType!, typeInfo.Options, JsonPath.Member(place, name)) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private UnwritableException? FindInItems(IEnumerable items, JsonTypeInfo typeInfo, string place)
    {
        var index = 0;
        UnwritableException? found = null;
        var thrown = Try(() =>
        {
            foreach (var item in items)
            {
                found = FindInPart(item, typeInfo.ElementType!, typeInfo.Options, JsonPath.Entry(place, index++));
                if (found is not null)
                {
                    return;
                }
            }
        });
        return thrown is null ? found : Fault(
            JsonPath.Entry(place, index),
            $"cannot be read, as the list threw {thrown.GetType().FullName}: {thrown.Message.TrimEnd('.')}",
            $"cannot be read, as the list threw {thrown.GetType().FullName}",
            thrown);
    }

    private UnwritableException? FindInPart(object? value, Type declared, JsonSerializerOptions options, string place)
    {
        JsonTypeInfo? typeInfo = null;
        return value is null ? null
            : Try(() => typeInfo = options.GetTypeInfo(declared)) is { } thrown ? Describe(value, declared, place, thrown)
            : Find(value, typeInfo!, place);
    }

    /// <summary>How a value is written that is declared as <c>object</c>, or as a base of its type: as what it is.</summary>
    private UnwritableException? TypeInfoOf(object value, JsonTypeInfo typeInfo, string place, out JsonTypeInfo? own)
    {
        JsonTypeInfo? found = typeInfo;
        var thrown = typeInfo.Type == typeof(object) || typeInfo.PolymorphismOptions is not null
            ? Try(() => found = typeInfo.Options.GetTypeInfo(value.GetType()))
            : null;
        own = found;
        return thrown is null ? null : Describe(value, value.GetType(), place, thrown);
    }

    private UnwritableException Describe(object? value, Type type, string place, Exception thrown)
    {
        if (Lossy.ReasonOf(thrown) is { } reason)
        {
            return Fault(place, $"is {TypeText.WithArticle(value?.GetType() ?? type)}, which cannot be written as JSON: {reason}", thrown);
        }

        // The serializer has no other way to tell this from its other faults. Cycles were found by their references.
        if (thrown.Message.Contains("object cycle", StringComparison.Ordinal))
        {
            return TooDeep(thrown);
        }

        return value switch
        {
            double or float or Half when !double.IsFinite(Convert.ToDouble(value is Half half ? (double)half : value, CultureInfo.InvariantCulture)) =>
                Fault(place, $"is {Convert.ToString(value, CultureInfo.InvariantCulture)}, which JSON cannot hold; give a finite number, null or text", thrown),
            JsonElement { ValueKind: JsonValueKind.Undefined } => Fault(place, "is an undefined JsonElement; give a JSON value, which may be null", thrown),
            string text when JsonText.FindBad(text) is { } bad => Fault(
                place, $"is {JsonText.Quote(text)}, which contains {bad} and cannot be stored",
                $"is {JsonShape.Of(text)}, which contains {bad} and cannot be stored", thrown),
            char => Fault(place, "is half a character, a lone surrogate, which cannot be stored", thrown),
            _ => Fault(
                place,
                $"is {TypeText.WithArticle(value?.GetType() ?? type)}, which cannot be written as JSON: {Reason(thrown)}",
                $"is {TypeText.WithArticle(value?.GetType() ?? type)}, which cannot be written as JSON: {thrown.GetType().FullName}",
                thrown),
        };
    }

    // Its place is named already, and better.
    private static string Reason(Exception thrown)
    {
        var path = thrown.Message.IndexOf(" Path: $", StringComparison.Ordinal);
        return (path < 0 ? thrown.Message : thrown.Message[..path]).TrimEnd('.');
    }

    private UnwritableException TooDeep(Exception thrown) => Fault(
        _root, string.Create(CultureInfo.InvariantCulture, $"is nested deeper than {_maxDepth} levels"), thrown);

    private static UnwritableException Fault(string place, string what, Exception thrown) => Fault(place, what, what, thrown);

    private static UnwritableException Fault(string place, string what, string shape, Exception thrown) =>
        new($"{place} {what}.", $"{place} {shape}.", thrown);

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "It calls the user's getters and converters, which throw what they like.")]
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
