using System.Text.Json;

namespace Kaiju.Tasks.Contracts;

/// <summary>JSON in tests, as text that is easy to read.</summary>
internal static class Json
{
    public static JsonElement Of(string json) => JsonElement.Parse(json);

    public static string[] Texts(this IEnumerable<JsonElement> elements) =>
        [.. elements.Select(element => element.GetRawText())];
}
