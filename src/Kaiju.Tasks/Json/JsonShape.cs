using System.Globalization;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>Describes the kind and length of a value for errors and logs, since the value may be secret.</summary>
internal static class JsonShape
{
    private const int MostNames = 10;

    public static string Of(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Undefined => "missing",
        JsonValueKind.Null => "null",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Number => OfNumber(json.GetRawText()),
        JsonValueKind.String => Of(json.GetString()!),
        JsonValueKind.Array => $"a list of {Count(json.GetArrayLength(), "entry", "entries")}",
        _ => $"an object of {Count(json.GetPropertyCount(), "member", "members")}",
    };

    public static string Of(string text) => $"a text of {Count(text.Length, "character", "characters")}";

    /// <summary>The names of an object's members. They come from the program and are not secret.</summary>
    public static string Members(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || json.GetPropertyCount() is var count && count == 0)
        {
            return "they have none";
        }

        var names = json.EnumerateObject().Take(MostNames).Select(member => StorableText.Of(Cut(member.Name)));
        return $"they have: {string.Join(", ", names)}{(count > MostNames ? $" and {count - MostNames} more" : "")}";
    }

    private static string OfNumber(string text) => text.TrimStart('-') is var digits && digits.All(char.IsAsciiDigit)
        ? $"a whole number of {Count(digits.Length, "digit", "digits")}"
        : "a decimal number";

    private static string Cut(string name) => name.Length <= 50 ? name : name[..50] + "…";

    private static string Count(int count, string one, string many) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many)}");
}
