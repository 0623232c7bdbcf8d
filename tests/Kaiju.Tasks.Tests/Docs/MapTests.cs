using System.Text.RegularExpressions;

namespace Kaiju.Tasks.Tests.Docs;

/// <summary>Readers find their way: every link resolves, and the map has the words that readers search for.</summary>
public sealed partial class MapTests
{
    private static readonly string _map = DocsTests.PathOf("docs", "README.md");

    [Fact]
    public void Every_link_resolves_to_a_file_and_to_a_heading_of_it()
    {
        var broken = from page in DocsTests.Pages()
                     from link in LinksOf(Prose(page))
                     where !Resolves(page, link)
                     select $"{Path.GetRelativePath(DocsTests.Root, page)}: {link.File}#{link.Anchor}";

        string.Join(Environment.NewLine, broken).Should().BeEmpty();
    }

    [Theory]
    [InlineData("install")]
    [InlineData("NuGet")]
    [InlineData("appsettings")]
    [InlineData("Docker")]
    [InlineData("Kubernetes")]
    [InlineData("health check")]
    [InlineData("metrics")]
    [InlineData("unit test")]
    [InlineData("troubleshooting")]
    [InlineData("upgrade")]
    [InlineData("dead letter")]
    [InlineData("rate limit")]
    [InlineData("deduplicate")]
    [InlineData("fan-out")]
    [InlineData("progress")]
    [InlineData("ASP.NET")]
    [InlineData("EF Core")]
    [InlineData("security")]
    public void A_word_that_readers_search_for_has_a_line_in_the_index_that_links_to_a_page(string word)
    {
        var index = File.ReadAllText(_map).Split("## Index of words")[1].Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal));

        index.Should().Contain(line =>
            line.Split('|', StringSplitOptions.None)[1].Contains(word, StringComparison.Ordinal)
            && LinksOf(line).Any());
    }

    [Fact]
    public void The_map_lists_every_page()
    {
        var listed = LinksOf(File.ReadAllText(_map).Split("## Index of words")[0])
            .Select(link => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(_map)!, link.File)));

        DocsTests.Pages()
            .Where(page => page.StartsWith(DocsTests.PathOf("docs"), StringComparison.Ordinal) && page != _map)
            .Where(page => Path.GetFileName(page) == "README.md"
                || !page.Contains("decisions", StringComparison.Ordinal))
            .Should().BeSubsetOf(listed);
    }

    [Fact]
    public void The_index_of_decisions_lists_every_decision()
    {
        var folder = DocsTests.PathOf("docs", "decisions");

        LinksOf(File.ReadAllText(Path.Combine(folder, "README.md"))).Select(link => link.File).Should().Equal(
            Directory.GetFiles(folder, "0*.md").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private static bool Resolves(string page, (string File, string Anchor) link)
    {
        if (link.File.Contains("://", StringComparison.Ordinal))
        {
            return true;
        }

        var target = link.File.Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, link.File);
        return Path.Exists(target) && (link.Anchor.Length == 0 || AnchorsOf(target).Contains(link.Anchor));
    }

    private static IEnumerable<(string File, string Anchor)> LinksOf(string text) =>
        Links().Matches(text).Select(match => (match.Groups["file"].Value, match.Groups["anchor"].Value));

    /// <summary>The anchors of a page's headings, as GitHub makes them.</summary>
    private static HashSet<string> AnchorsOf(string page) => Prose(page).Split('\n')
        .Where(line => line.StartsWith('#'))
        .Select(line => NotOfAnchors().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'))
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>The page without its code blocks, where brackets are not links.</summary>
    private static string Prose(string page) => Blocks().Replace(File.ReadAllText(page), "");

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Blocks();

    [GeneratedRegex(@"\]\((?<file>[^)#\s]*)(#(?<anchor>[^)\s]+))?\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NotOfAnchors();
}
