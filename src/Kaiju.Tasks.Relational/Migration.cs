using System.Reflection;
using System.Text.RegularExpressions;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// A migration of the tables. Its text begins with the oldest package that may run beside the tables that it leaves.
/// See docs/decisions/0018.
/// </summary>
/// <param name="Version">The version of the tables after the migration.</param>
/// <param name="Oldest">The oldest package that may run on these tables.</param>
/// <param name="Text">The SQL, with that first line.</param>
internal sealed partial record Migration(int Version, Version Oldest, string Text)
{
    /// <summary>The oldest package as it is stored, such as <c>0.1.0</c>.</summary>
    public string OldestText => Oldest.ToString(3);

    /// <summary>Reads a migration from its file.</summary>
    /// <param name="version">The version of the tables after it.</param>
    /// <param name="text">The file's text.</param>
    /// <exception cref="InvalidDataException">The first line does not name the oldest package.</exception>
    public static Migration Parse(int version, string text) =>
        Header().Match(text) is { Success: true } header
            ? new Migration(version, System.Version.Parse(header.Groups[1].Value), text)
            : throw new InvalidDataException(
                $"Migration {version} must begin with the line \"-- Oldest package that may run beside it: x.y.z\".");

    /// <summary>Loads an adapter's migrations in order: <c>Migrations/0001.….sql</c> is version 1.</summary>
    /// <param name="assembly">The adapter's assembly.</param>
    /// <param name="words">The replacements for words in $…$.</param>
    public static IReadOnlyList<Migration> Load(Assembly assembly, IReadOnlyDictionary<string, string> words) =>
        [.. SqlTexts.LoadMigrations(assembly, words).Select((text, index) => Parse(index + 1, text))];

    [GeneratedRegex(@"\A-- Oldest package that may run beside it: (\d{1,9}\.\d{1,9}\.\d{1,9})\r?\n")]
    private static partial Regex Header();
}
