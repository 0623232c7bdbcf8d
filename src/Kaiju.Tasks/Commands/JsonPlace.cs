using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>Explains where JSON does not fit a type, by place, kind and length.</summary>
internal static class JsonPlace
{
    /// <summary>
    /// Returns a sentence without its final point: <c>params.order.id is a text of 3 characters; it must be an
    /// Int32</c>.
    /// </summary>
    /// <param name="thrown">The serializer's exception, whose path leads to the place.</param>
    /// <param name="json">The JSON that was read.</param>
    /// <param name="typeInfo">The contract of the type that it was read as.</param>
    /// <param name="place">The name of the JSON in messages, such as <c>params</c>.</param>
    public static string Explain(Exception thrown, JsonElement json, JsonTypeInfo typeInfo, string place)
    {
        var rest = thrown is JsonException { Path: { Length: > 0 } path } ? path.AsSpan(1) : default;
        JsonTypeInfo? expected = typeInfo;
        while (!rest.IsEmpty && Step(json, rest, out var step, out var next))
        {
            expected = TypeOf(expected, json, step);
            (json, place) = (next, place + step);
            rest = rest[step.Length..];
        }

        if (expected is null)
        {
            return $"{place} is {JsonShape.Of(json)}, which does not fit {TypeText.WithArticle(typeInfo.Type)}";
        }

        var missing = string.Join(", ", Missing(json, expected));
        var type = TypeText.WithArticle(expected.Type);
        return missing.Length > 0
            ? $"{place} lacks {missing}, which {type} must have"
            : $"{place} is {JsonShape.Of(json)}; it must be {type}";
    }

    /// <summary>
    /// Takes one member or entry of the path. The path does not escape quotes, so member names are searched for instead
    /// of parsed.
    /// </summary>
    private static bool Step(JsonElement json, ReadOnlySpan<char> path, out string step, out JsonElement next)
    {
        (step, next) = ("", json);
        if (json.ValueKind == JsonValueKind.Array)
        {
            var end = path.IndexOf(']');
            if (end > 1 && path[0] == '[' && int.TryParse(path[1..end], out var index) && index < json.GetArrayLength())
            {
                (step, next) = (path[..(end + 1)].ToString(), json[index]);
            }
        }
        else if (json.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in json.EnumerateObject())
            {
                foreach (var written in (string[])[$".{member.Name}", $"['{member.Name}']"])
                {
                    if (written.Length > step.Length && path.StartsWith(written, StringComparison.Ordinal))
                    {
                        (step, next) = (written, member.Value);
                    }
                }
            }
        }

        return step.Length > 0;
    }

    private static JsonTypeInfo? TypeOf(JsonTypeInfo? typeInfo, JsonElement json, string step)
    {
        var type = typeInfo switch
        {
            { Kind: JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary } => typeInfo.ElementType,
            { Kind: JsonTypeInfoKind.Object } when json.ValueKind == JsonValueKind.Object =>
                typeInfo.Properties.FirstOrDefault(
                    property => step == $".{property.Name}" || step == $"['{property.Name}']"
                    || (typeInfo.Options.PropertyNameCaseInsensitive
                        && step.Equals($".{property.Name}", StringComparison.OrdinalIgnoreCase)))?.PropertyType,
            _ => null,
        };
        return type is not null && typeInfo!.Options.TryGetTypeInfo(type, out var found) ? found : null;
    }

    private static IEnumerable<string> Missing(JsonElement json, JsonTypeInfo typeInfo)
    {
        if (json.ValueKind != JsonValueKind.Object || typeInfo.Kind != JsonTypeInfoKind.Object)
        {
            return [];
        }

        var names = json.EnumerateObject().Select(member => member.Name)
            .ToHashSet(
                typeInfo.Options.PropertyNameCaseInsensitive
                    ? StringComparer.OrdinalIgnoreCase
                    : StringComparer.Ordinal);
        return typeInfo.Properties.Where(property => property.IsRequired && !names.Contains(property.Name))
            .Select(property => $"\"{property.Name}\"");
    }
}
