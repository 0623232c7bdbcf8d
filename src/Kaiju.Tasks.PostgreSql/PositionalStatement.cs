using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// A statement whose arguments are numbered, as the server expects them. With named arguments the driver would parse
/// the whole text at each use.
/// </summary>
internal sealed partial class PositionalStatement
{
    // Bounded: the texts of list pages are combined from a few parts.
    private static readonly ConcurrentDictionary<string, PositionalStatement> _known = new(StringComparer.Ordinal);

    private PositionalStatement(string named)
    {
        var names = new List<string>();
        Text = Argument().Replace(named, match =>
        {
            var name = match.Groups[1].Value;
            if (!names.Contains(name))
            {
                names.Add(name);
            }

            return string.Create(CultureInfo.InvariantCulture, $"${names.IndexOf(name) + 1}");
        });
        Names = names;
    }

    public string Text { get; }

    /// <summary>The arguments' names, in the order of their numbers.</summary>
    public IReadOnlyList<string> Names { get; }

    public static PositionalStatement Of(string named) =>
        _known.GetOrAdd(named, static text => new PositionalStatement(text));

    [GeneratedRegex(@"@(\w+)")]
    private static partial Regex Argument();
}
