using System.Text.RegularExpressions;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// What a migration must keep to, so that the oldest package that it names runs beside it. See docs/decisions/0018.
/// </summary>
internal static partial class MigrationRules
{
    public static IEnumerable<string> FindFaults(string text)
    {
        var statements = Comments().Replace(text, "").Split(';');
        foreach (var column in statements.SelectMany(statement => AddedColumn().Matches(statement)))
        {
            var isNullable = !column.Value.Contains("not null", StringComparison.OrdinalIgnoreCase);
            var value = Default().Match(column.Value);
            if (value.Success ? !Constant().IsMatch(value.Groups[1].Value.Trim()) : !isNullable)
            {
                yield return $"\"{column.Value.Trim()}\" must be nullable or have a constant default.";
            }
        }

        foreach (var removal in statements.SelectMany(statement => Removal().Matches(statement)))
        {
            yield return $"\"{removal.Value.Trim()}\" takes away what an older package may use.";
        }
    }

    [GeneratedRegex("--[^\n]*")]
    private static partial Regex Comments();

    // Up to the next column of the same statement.
    [GeneratedRegex(@"\badd\s+column\b.*?(?=,\s*add\b|\z)", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex AddedColumn();

    [GeneratedRegex(
        @"\bdefault\s+(.*?)(?:\bnot\s+null\b|\bcheck\b|\z)", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Default();

    [GeneratedRegex(@"^(-?\d+(\.\d+)?|'[^']*'|true|false|null)\z", RegexOptions.IgnoreCase)]
    private static partial Regex Constant();

    [GeneratedRegex(@"\bdrop\s+(table|column)\b.*|\brename\b.*", RegexOptions.IgnoreCase)]
    private static partial Regex Removal();
}
