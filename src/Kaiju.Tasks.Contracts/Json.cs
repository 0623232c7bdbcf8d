using System.Text.Json;

namespace Kaiju.Tasks.Contracts;

/// <summary>JSON for tests, written as readable text.</summary>
internal static class Json
{
    public static JsonElement Of(string json) => JsonElement.Parse(json);

    public static string[] Texts(this IEnumerable<JsonElement> elements) =>
        [.. elements.Select(element => element.GetRawText())];
}
