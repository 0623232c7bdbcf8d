using System.Globalization;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>The arguments after the command: <c>--name value</c>.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public Arguments(ReadOnlySpan<string> words, bool isFirst = true)
    {
        IsFirst = isFirst;
        for (var i = 0; i + 1 < words.Length; i += 2)
        {
            if (!words[i].StartsWith("--", StringComparison.Ordinal))
            {
                throw new ArgumentException($"\"{words[i]}\" is not an option; options have the form --name value.");
            }

            _values.Add(words[i][2..], words[i + 1]);
        }
    }

    /// <summary>The store is new.</summary>
    public bool IsFirst { get; }

    public string Text(string name, string otherwise = "") => _values.GetValueOrDefault(name, otherwise);

    public int Number(string name, int otherwise = 0) =>
        _values.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
