using System.Text.Json;

namespace Kaiju.Tasks.Tests;

/// <summary>JSON in tests, as text that is easy to read.</summary>
internal static class Json
{
    public static JsonElement Of(string json) => JsonElement.Parse(json);

    public static string[] Texts(this IEnumerable<JsonElement> elements) =>
        [.. elements.Select(element => element.GetRawText())];

    /// <summary>The same value, whatever the order of members and the white space.</summary>
    public static void ShouldBeJson(this string json, string expected) =>
        JsonElement.DeepEquals(Of(json), Of(expected)).Should().BeTrue($"{json} should be {expected}");
}
