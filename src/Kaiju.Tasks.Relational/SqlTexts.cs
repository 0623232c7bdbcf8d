using System.Reflection;
using System.Text.RegularExpressions;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// The adapter's statements, by name, from its <c>Sql/*.sql</c>: a statement begins with a line <c>-- name: …</c> and
/// ends with the next one. Comments are for those who read the file: the server does not get them. Words in $…$ are put
/// in when they are loaded: names of tables, the store's time, the columns of a task. A statement with a part
/// <c>/*free: … */</c> is two: the plain one without it, and with it the one that passes over rows which another
/// transaction holds, under the name with <c>_free</c>.
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
            _texts.Add(name, FreePart().Replace(text, ""));
            if (FreePart().IsMatch(text))
            {
                _texts.Add($"{name}_free", FreePart().Replace(text, "$1"));
            }
        }
    }

    public string this[string name] => _texts[name];

    /// <summary>Every statement by its name; for tests that look at plans.</summary>
    public IReadOnlyDictionary<string, string> All => _texts;

    /// <param name="assembly">The adapter.</param>
    /// <param name="words">The words to put in.</param>
    /// <param name="change">Changes the text of a file, with its words and comments; for tests.</param>
    public static SqlTexts Load(
        Assembly assembly, IReadOnlyDictionary<string, string> words, Func<string, string>? change = null) =>
        new(Resources(assembly, ".Sql.").Select(source => PutIn(source.Text, words))
            .Select(text => change?.Invoke(text) ?? text));

    /// <summary>Migrations in the order of their versions: <c>Migrations/0001.….sql</c> is version 1.</summary>
    public static IReadOnlyList<string> LoadMigrations(Assembly assembly, IReadOnlyDictionary<string, string> words) =>
        [.. Resources(assembly, ".Migrations.").Select(source => PutIn(source.Text, words))];

    /// <summary>Puts words in. A name that begins with $prefix$ is put in quotes as a whole.</summary>
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

    [GeneratedRegex(@"\s*/\*free:(.*?)\*/", RegexOptions.Singleline)]
    private static partial Regex FreePart();

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
