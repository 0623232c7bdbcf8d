using System.Globalization;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>Places in JSON, as messages name them: <c>kws.order.lines[2]</c>.</summary>
internal static class JsonPath
{
    private const int LongestName = 50;

    public static string Member(string place, string name) =>
        IsPlain(name) ? $"{place}.{Cut(name)}" : $"{place}[\"{StorableText.Of(Cut(name))}\"]";

    public static string Entry(string place, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{place}[{index}]");

    /// <summary>The place of the token at an offset; for a member's name, the place of its object.</summary>
    public static string Find(ReadOnlySpan<byte> utf8, long offset, string place)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var open = new Stack<(string Place, int Index)>();
        string? name = null;
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                open.Pop();
                continue;
            }

            if (reader.TokenStartIndex == offset && reader.TokenType == JsonTokenType.PropertyName)
            {
                return open.Peek().Place;
            }

            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                name = reader.GetString();
                continue;
            }

            var here = place;
            if (name is not null)
            {
                here = Member(open.Peek().Place, name);
                name = null;
            }
            else if (open.TryPop(out var list))
            {
                here = Entry(list.Place, list.Index);
                open.Push((list.Place, list.Index + 1));
            }

            if (reader.TokenStartIndex == offset)
            {
                return here;
            }

            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                open.Push((here, 0));
            }
        }

        return place;
    }

    private static bool IsPlain(string name) =>
        name.Length > 0 && name.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '_' or '-');

    private static string Cut(string name) => name.Length <= LongestName ? name : name[..LongestName] + "…";
}
