using System.Text.RegularExpressions;
using Kaiju.Tasks.Tests.Docs;

namespace Kaiju.Tasks.Tests.Architecture;

/// <summary>The files, rooms and walks of ARCHITECTURE.md exist, and its walks stay short.</summary>
public sealed partial class PageTests
{
    private static readonly string[] _page = File.ReadAllLines(Path.Combine(DocsTests.Root, "ARCHITECTURE.md"));

    [Fact]
    public void The_picture_has_the_lines_that_the_rooms_keep()
    {
        var picture = Section("## Rooms").SkipWhile(line => line != "```").Skip(1).TakeWhile(line => line != "```")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        picture.Should().BeEquivalentTo(RoomsTests.Lines, options => options.WithStrictOrdering());
    }

    [Fact]
    public void Every_room_has_a_line_about_its_contents()
    {
        var folders = Directory.EnumerateDirectories(Path.Combine(DocsTests.Root, "src", "Kaiju.Tasks"))
            .Select(folder => Path.GetFileName(folder)!)
            .Where(folder => folder is not ("bin" or "obj"));
        var told = Section("## Rooms").TakeWhile(line => !line.StartsWith("| package", StringComparison.Ordinal))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .SelectMany(line => PathPattern().Matches(line.Split('|')[1]))
            .Select(match => match.Groups["path"].Value.TrimEnd('/'));

        told.Should().BeEquivalentTo(folders);
    }

    [Fact]
    public void Every_file_and_folder_on_the_page_exists()
    {
        string[] roots = ["", "src", Path.Combine("src", "Kaiju.Tasks"), Path.Combine("tests", "Kaiju.Tasks.Tests")];
        string[] anywhere = ["Sql/", "Migrations/", "Sql/managing.sql", "Memory/", "Running/", "Claiming/", "Managing/",
            "Loops/"];
        var named = _page.SelectMany(line => PathPattern().Matches(line)).Select(match => match.Groups["path"].Value)
            .Distinct().Except(anywhere).ToList();

        named.Should().HaveCountGreaterThan(40);
        named.Where(path => !roots.Any(root => Path.Exists(Path.Combine(DocsTests.Root, root, path)))).Should()
            .BeEmpty();
    }

    [Theory]
    [InlineData("### From a creation to its row", 10, 3)]
    [InlineData("### From a claim to its record", 16, 2)]
    public void A_walk_has_a_bounded_number_of_files(string title, int most, int stores)
    {
        var rows = Section(title).Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(2)
            .Select(line => line.Split('|')[1..^1]).ToList();
        for (var store = 0; store < stores; store++)
        {
            var files = rows.Select(row => PathPattern().Match(row[store])).Where(match => match.Success)
                .Select(match => Path.Combine(DocsTests.Root, "src", match.Groups["path"].Value)).ToList();

            files.Should().HaveCountGreaterThan(5).And.HaveCountLessThanOrEqualTo(most).And.OnlyHaveUniqueItems();
            files.Should().OnlyContain(file => File.Exists(file));
        }
    }

    /// <summary>The lines below a heading, up to the next one of its level or above.</summary>
    private static IEnumerable<string> Section(string title)
    {
        var level = title.IndexOf(' ', StringComparison.Ordinal);
        var lines = _page.SkipWhile(line => line != title).Skip(1).ToList();
        lines.Should().NotBeEmpty($"there is a heading \"{title}\"");
        return lines.TakeWhile(
            line => line.Length == 0 || line[0] != '#' || line.IndexOf(' ', StringComparison.Ordinal) > level);
    }

    /// <summary>A path in back quotes: it has a slash, or the ending of a source file.</summary>
    [GeneratedRegex(@"`(?<path>[\w.]+(/[\w.]+)*(/|\.cs|\.sql|\.md)|[\w.]+(/[\w.]+)+)`")]
    private static partial Regex PathPattern();
}
