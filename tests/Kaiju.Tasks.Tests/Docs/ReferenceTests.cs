using System.Text.Json;
using System.Text.RegularExpressions;
using Kaiju.Tasks.PostgreSql;
using Kaiju.Tasks.Sqlite;

namespace Kaiju.Tasks.Tests.Docs;

/// <summary>The tables of the reference pages have a row for everything there is, and for nothing else.</summary>
public sealed partial class ReferenceTests
{
    [Theory]
    [InlineData("KaijuTasksOptions", typeof(KaijuTasksOptions))]
    [InlineData("Limits", typeof(TaskLimits))]
    [InlineData("SqliteTasksOptions", typeof(SqliteTasksOptions))]
    [InlineData("PostgreSqlTasksOptions", typeof(PostgreSqlTasksOptions))]
    public void The_page_of_options_lists_every_option(string section, Type type) =>
        RowsOf("options.md", section).Select(row => row[0]).Should().BeEquivalentTo(
            type.GetProperties().Select(option => option.Name));

    [Fact]
    public void The_page_of_errors_lists_every_kind() =>
        RowsOf("errors.md", "Kinds of task errors").Select(row => row[0]).Should().BeEquivalentTo(
            typeof(TaskErrorKind).GetFields().Select(kind => (string)kind.GetRawConstantValue()!));

    [Fact]
    public void The_page_of_errors_lists_every_exception() =>
        RowsOf("errors.md", "Exceptions of the library").Select(row => row[0]).Should().BeEquivalentTo(
            typeof(KaijuTasksException).Assembly.GetExportedTypes()
                .Where(type => type.IsSubclassOf(typeof(KaijuTasksException))).Select(type => type.Name));

    [Fact]
    public void The_page_of_the_record_lists_every_member_in_its_order()
    {
        var record = new TaskRecord
        {
            Definition = new TaskDefinition
            {
                Id = "t",
                Commands = [new("do") { MaxRetries = 1, RetryDelay = TimeSpan.Zero }],
            },
            Managed = new ManagedState
            {
                JobId = "j",
                ResultRun = "j",
                Hold = TaskHold.Paused,
                FreeRetries = 1,
                StageRetries = 1,
                Snoozes = 1,
                Changes = RunChanges.FromJson("""{"kws":{}}"""),
            },
            Created = TaskTestHost.Start,
            Version = 1,
            Waiting = new TaskDefinition { Id = "t", Commands = [new("other")] },
        };
        var json = JsonDocument.Parse(record.ToJson()).RootElement;

        RowsOf("task-record.md", "Definition").Concat(RowsOf("task-record.md", "State")).Select(row => row[0])
            .Should().Equal(json.EnumerateObject().Select(member => member.Name));
        RowsOf("task-record.md", "Command").Select(row => row[0])
            .Should().Equal(json.GetProperty("commands")[0].EnumerateObject().Select(member => member.Name));
    }

    [Theory]
    [InlineData("Definition", typeof(TaskDefinition))]
    [InlineData("Command", typeof(TaskCommand))]
    [InlineData("State", typeof(TaskRecord))]
    public void The_page_of_the_record_names_members_that_there_are(string section, Type type)
    {
        foreach (var row in RowsOf("task-record.md", section))
        {
            var name = Code().Match(row[1]).Groups["name"].Value;
            var owner = row[1].Contains("*Managed*", StringComparison.Ordinal) ? typeof(ManagedState) : type;

            owner.GetProperty(name).Should().NotBeNull($"{owner.Name} has no {name}");
        }
    }

    /// <summary>The rows of a section's table; the first cell without its quotes.</summary>
    private static IEnumerable<string[]> RowsOf(string page, string section) =>
        File.ReadAllText(DocsTests.PathOf("docs", "reference", page))
            .Split($"\n## {section}\n")[1].Split("\n## ")[0].Split('\n')
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|')[1..^1].Select(cell => cell.Trim()).ToArray())
            .Select(cells => (string[])[cells[0].Trim('`'), .. cells[1..]]);

    [GeneratedRegex("`(?<name>[^`]+)`")]
    private static partial Regex Code();
}
