using Kaiju.Tasks.Tests.Docs;

namespace Kaiju.Tasks.Tests.Architecture;

/// <summary>The width of lines in code and prose.</summary>
public sealed class WidthTests
{
    private const int Most = 120;

    private static readonly string[] _kinds = [".cs", ".md", ".sh", ".sql"];
    private static readonly string[] _madeByTools = ["artifacts", "bin", "obj", "TestResults"];

    [Fact]
    public void Lines_have_at_most_120_characters()
    {
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true };
        var files = Directory.EnumerateFiles(DocsTests.Root, "*", everywhere)
            .Where(file => _kinds.Contains(Path.GetExtension(file)))
            .Select(file => Path.GetRelativePath(DocsTests.Root, file))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Intersect(_madeByTools).Any());

        string.Join(Environment.NewLine, files.SelectMany(FindLong)).Should().BeEmpty();
    }

    private static IEnumerable<string> FindLong(string file)
    {
        var lines = File.ReadAllLines(Path.Combine(DocsTests.Root, file));
        return file.EndsWith(".md", StringComparison.Ordinal)
            ? Prose(lines).Where(line => line.Text.Length > Most).Select(line => $"{file}:{line.Number}")
            : lines.Index().Where(line => line.Item.Length > Most).Select(line => $"{file}:{line.Index + 1}");
    }

    /// <summary>
    /// The lines that can be broken: table rows, code blocks other than C# and single words are left out.
    /// </summary>
    private static IEnumerable<(int Number, string Text)> Prose(string[] lines)
    {
        var fence = "";
        foreach (var (index, line) in lines.Index())
        {
            var text = line.Trim();
            if (text.StartsWith("```", StringComparison.Ordinal))
            {
                fence = fence.Length == 0 ? text : "";
                continue;
            }

            if (!text.StartsWith('|') && text.Contains(' ', StringComparison.Ordinal) && fence is "" or "```csharp")
            {
                yield return (index + 1, line);
            }
        }
    }
}
