using System.Globalization;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>Words after the command: <c>--name value</c>; for several works those of each, with <c>/</c> between them.</summary>
internal sealed class Arguments
{
    public const string Between = "/";

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public Arguments(ReadOnlySpan<string> words, bool isFirst = true)
    {
        IsFirst = isFirst;
        for (var i = 0; i + 1 < words.Length; i += 2)
        {
            if (!words[i].StartsWith("--", StringComparison.Ordinal))
            {
                throw new ArgumentException($"\"{words[i]}\" is no option; options are written --name value.");
            }

            _values.Add(words[i][2..], words[i + 1]);
        }
    }

    /// <summary>The arguments of each of so many works; those without any have the last ones.</summary>
    public static List<Arguments> Each(ReadOnlySpan<string> words, int works)
    {
        var each = new List<Arguments>(works);
        for (var isFirst = true; each.Count < works; isFirst = false)
        {
            var end = words.IndexOf(Between);
            each.Add(new Arguments(end < 0 ? words : words[..end], isFirst));
            words = end < 0 ? words : words[(end + 1)..];
        }

        return each;
    }

    /// <summary>Nobody has used the store before.</summary>
    public bool IsFirst { get; }

    public string Text(string name, string otherwise = "") => _values.GetValueOrDefault(name, otherwise);

    public int Number(string name, int otherwise = 0) => _values.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
