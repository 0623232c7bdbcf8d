using System.Reflection;
using System.Text.RegularExpressions;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// The adapter's statements, by name, from its <c>Sql/*.sql</c>. A statement begins with a line <c>-- name: …</c> and
/// ends before the next such line; comments are removed. Words in $…$ are replaced at loading: names of tables, the
/// store's time, the columns of a task. A statement with a part <c>/*free: … */</c> is loaded twice: without that part,
/// and with it under the name with <c>_free</c>. The latter skips rows that another transaction holds. Likewise
/// <c>/*routed: … */</c> is for claims that must look at pauses and holds.
/// </summary>
internal sealed partial class SqlTexts
{
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);

    private SqlTexts(IEnumerable<string> sources)
    {
        foreach (var section in sources.SelectMany(source => source.Split("-- name: ").Skip(1)))
        {
            var end = section.IndexOf('\n', StringComparison.Ordinal);
            var (name, text) = (section[..end].Trim(), Comments().Replace(section[end..], "").Trim());
            _texts.Add(name, OptionalPart().Replace(text, ""));
            if (OptionalPart().Match(text) is { Success: true } part)
            {
                _texts.Add($"{name}_{part.Groups[1].Value}", OptionalPart().Replace(text, "$2"));
            }
        }
    }

    public string this[string name] => _texts[name];

    /// <summary>Every statement by its name; for tests that look at plans.</summary>
    public IReadOnlyDictionary<string, string> All => _texts;

    /// <param name="assembly">The adapter's assembly.</param>
    /// <param name="words">The replacements for words in $…$.</param>
    /// <param name="change">A function that changes the text of a file, with its words and comments; for tests.</param>
    public static SqlTexts Load(
        Assembly assembly, IReadOnlyDictionary<string, string> words, Func<string, string>? change = null) =>
        new(Resources(assembly, ".Sql.").Select(source => PutIn(source.Text, words))
            .Select(text => change?.Invoke(text) ?? text));

    /// <summary>Loads migrations in the order of their versions: <c>Migrations/0001.….sql</c> is version 1.</summary>
    public static IReadOnlyList<string> LoadMigrations(Assembly assembly, IReadOnlyDictionary<string, string> words) =>
        [.. Resources(assembly, ".Migrations.").Select(source => PutIn(source.Text, words))];

    /// <summary>Replaces words in $…$. A name that begins with $prefix$ is put in quotes as a whole.</summary>
    public static string PutIn(string text, IReadOnlyDictionary<string, string> words)
    {
        if (words.TryGetValue("prefix", out var prefix))
        {
            text = PrefixedNames().Replace(text, $"\"{prefix}$1\"");
        }

        foreach (var (word, value) in words)
        {
            text = text.Replace($"${word}$", value, StringComparison.Ordinal);
        }

        return text;
    }

    [GeneratedRegex(@"\$prefix\$(\w+)")]
    private static partial Regex PrefixedNames();

    [GeneratedRegex(@"\s*/\*(free|routed):(.*?)\*/", RegexOptions.Singleline)]
    private static partial Regex OptionalPart();

    [GeneratedRegex(@"--[^\n]*")]
    private static partial Regex Comments();

    private static IEnumerable<(string Name, string Text)> Resources(Assembly assembly, string folder) =>
        assembly.GetManifestResourceNames()
        .Where(name => name.Contains(folder, StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)
        .Select(name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return (name, reader.ReadToEnd());
        });
}
