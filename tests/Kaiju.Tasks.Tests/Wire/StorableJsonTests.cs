using System.Globalization;
using System.Text;
using CsCheck;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Tests.Wire;

/// <summary>JSON that can be stored: the same for every spelling of a value.</summary>
public sealed class StorableJsonTests
{
    private const int MaxDepth = 5;

    private static readonly Gen<string> _text = Pick("", "a", "b", "ab", "é", "\U0001D11E", "\"", "\u0007");
    private static readonly Gen<string> _bad = Pick("\0", "a\ud800", "\udc00\0", "\ud800\ud800");
    private static readonly Gen<string> _any = Gen.Frequency((40, _text), (1, _bad));

    /// <summary>
    /// Keys and texts raw or escaped, few keys or many: the fault is the same as one found by reading the value itself.
    /// </summary>
    [Fact]
    public void A_value_has_the_same_fault_however_it_is_written() =>
        Gen.Select(ValueOf(MaxDepth), Gen.Bool.Array[16]).Sample(
            (value, escapes) =>
            {
                var expected = value.FindFault(depth: 0);
                var plain = FindFault(value.Written([false]));

                var isFound = expected is null
                    ? plain is null
                    : plain?.Contains(expected, StringComparison.Ordinal) == true;
                isFound.Should().BeTrue($"\"{plain}\" should say \"{expected}\"");
                FindFault(value.Written([true])).Should().Be(plain);
                FindFault(value.Written(escapes)).Should().Be(plain);
            },
            iter: 20_000);

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    public void A_key_that_is_repeated_is_found_among_any_number_and_in_any_depth(int others)
    {
        var keys = string.Concat(
            Enumerable.Range(0, others).Select(i => string.Create(CultureInfo.InvariantCulture, $"\"k{i}\": 1, ")));
        var deep = string.Concat(Enumerable.Repeat("{\"a\": ", others));

        Find($$"""{"x": 1, {{keys}}"x": 2}""").Should().Be("The JSON has the key \"x\" twice in one object.");
        Find($$"""{"x": 1, {{keys}}"\u0078": 2}""").Should().Be("The JSON has the key \"x\" twice in one object.");
        Find($$"""{"x": {"x": [{"x": 1}]}, {{keys}}"y": 2}""").Should().BeNull();
        Find($$"""{{deep}}{"x": 1, "x": 2}{{new string('}', others)}}""").Should().EndWith(
            "has the key \"x\" twice in one object.");
        Find($$"""{"x": {{deep}}1{{new string('}', others)}}, "x": 2}""").Should().Be(
            "The JSON has the key \"x\" twice in one object.");

        static string? Find(string json) =>
            StorableJson.FindFault(Encoding.UTF8.GetBytes(json), 100_000, 1000, "", showsValues: false);
    }

    /// <summary>A parsed value may hold them, since the parser looks at texts only when they are read.</summary>
    [Theory]
    [InlineData("[\"a\", \"?\"]", "[1]")]
    [InlineData("{\"a\": {\"?\": 1}}", "a")]
    public void Bytes_that_are_not_text_are_refused_with_their_place(string json, string place)
    {
        var utf8 = Encoding.UTF8.GetBytes(json);
        utf8[Array.IndexOf(utf8, (byte)'?')] = 0xFF;

        StorableJson.FindFault(utf8, 100, 10, "", showsValues: true).Should().Be(
            $"{place} has text with a lone surrogate or broken UTF-8, which cannot be stored.");
    }

    private static Gen<string> Pick(params string[] texts) =>
        Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    private static string? FindFault(string json) =>
        StorableJson.FindFault(Encoding.UTF8.GetBytes(json), 100_000, MaxDepth, "", showsValues: false);

    private static Gen<Value> ValueOf(int levels)
    {
        var text = _any.Select(Value (text) => new Text(text));
        if (levels < 0)
        {
            return text;
        }

        var inner = ValueOf(levels - 1);
        var many = Gen.Select(Gen.Int[60, 80], Gen.Int[0, 500]).Select(
            Value (count, repeated) => new Object(
                [.. Enumerable.Range(0, count).Append(repeated).Select(i => ($"k{i}", (Value)new Text("")))]));
        return Gen.Frequency(
            (4, text),
            (2, inner.Array[0, 3].Select(Value (items) => new List(items))),
            (4, Gen.Select(_any, inner).Array[0, 4].Select(Value (members) => new Object(members))),
            (1, many));
    }

    private abstract record Value
    {
        /// <summary>The fault of the value, found in the value and not in its bytes.</summary>
        public abstract string? FindFault(int depth);

        public string Written(bool[] escapes)
        {
            var (json, index) = (new StringBuilder(), 0);
            WriteTo(json, () => escapes[index++ % escapes.Length]);
            return json.ToString();
        }

        protected abstract void WriteTo(StringBuilder json, Func<bool> isEscaped);

        protected static string? FindFault(string text) =>
            StorableText.HasLoneSurrogate(text) ? "has text with a lone surrogate"
            : text.Contains('\0') ? "which contains U+0000"
            : null;

        protected static string? FindFault(int depth, Func<string?> inside) =>
            depth == MaxDepth ? $"The JSON is nested deeper than {MaxDepth} levels." : inside();

        protected static void Write(StringBuilder json, string text, bool isEscaped)
        {
            json.Append('"');
            foreach (var sign in text)
            {
                var isPlain = !isEscaped && sign is not ('"' or '\\') && sign >= ' '
                    && !(char.IsSurrogate(sign) && StorableText.HasLoneSurrogate(text));
                json.Append(isPlain ? sign : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)sign:x4}"));
            }

            json.Append('"');
        }

        protected static void Write(StringBuilder json, Value value, Func<bool> isEscaped) =>
            value.WriteTo(json, isEscaped);
    }

    private sealed record Text(string Signs) : Value
    {
        public override string? FindFault(int depth) => FindFault(Signs);

        protected override void WriteTo(StringBuilder json, Func<bool> isEscaped) => Write(json, Signs, isEscaped());
    }

    private sealed record List(Value[] Items) : Value
    {
        public override string? FindFault(int depth) =>
            FindFault(depth, () => Items.Select(item => item.FindFault(depth + 1)).FirstOrDefault(f => f is not null));

        protected override void WriteTo(StringBuilder json, Func<bool> isEscaped)
        {
            json.Append('[');
            foreach (var (i, item) in Items.Index())
            {
                json.Append(i == 0 ? "" : ",");
                Write(json, item, isEscaped);
            }

            json.Append(']');
        }
    }

    private sealed record Object((string Key, Value Value)[] Members) : Value
    {
        public override string? FindFault(int depth) => FindFault(
            depth,
            () =>
            {
                var keys = new HashSet<string>();
                return Members.Select(member =>
                        FindFault(member.Key)
                        ?? (keys.Add(member.Key) ? member.Value.FindFault(depth + 1) : "twice in one object"))
                    .FirstOrDefault(fault => fault is not null);
            });

        protected override void WriteTo(StringBuilder json, Func<bool> isEscaped)
        {
            json.Append('{');
            foreach (var (i, (key, value)) in Members.Index())
            {
                json.Append(i == 0 ? "" : ",");
                Write(json, key, isEscaped());
                json.Append(':');
                Write(json, value, isEscaped);
            }

            json.Append('}');
        }
    }
}
