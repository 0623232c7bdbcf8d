using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Kaiju.Tasks.Tests.Docs;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Architecture;

/// <summary>
/// The events of docs/log-events.md are those of the code. A renamed or renumbered event shows as a change of the page.
/// </summary>
public sealed partial class LogEventTests
{
    private static readonly (MethodInfo Method, LoggerMessageAttribute Message)[] _methods = [.. FindMethods()];

    [Fact]
    public void The_page_lists_every_event_with_its_id_name_level_and_message()
    {
        var page = File.ReadAllText(DocsTests.PathOf("docs", "log-events.md"));
        var events = _methods
            .Select(
                found => $"| {found.Message.EventId} | {found.Method.Name} | {found.Message.Level} | "
                    + $"{found.Message.Message} |")
            .Distinct();

        Rows().Matches(page).Select(row => row.Groups["event"].Value).Should().BeEquivalentTo(events);
    }

    [Fact]
    public void The_page_has_advice_for_every_event_in_the_order_of_the_ids()
    {
        var rows = Rows().Matches(File.ReadAllText(DocsTests.PathOf("docs", "log-events.md")));

        rows.Select(row => int.Parse(row.Groups["id"].Value, CultureInfo.InvariantCulture)).Should()
            .BeInAscendingOrder().And.OnlyHaveUniqueItems();
        rows.Should().OnlyContain(row => row.Groups["what"].Value.Length > 3);
    }

    /// <summary>Two assemblies may log the same event if they agree on its name, level and message.</summary>
    [Fact]
    public void An_id_has_one_name_and_a_name_has_one_id()
    {
        var events = _methods
            .Select(found => (Id: found.Message.EventId, found.Method.Name, found.Message.Level, found.Message.Message))
            .Distinct()
            .ToList();

        events.Select(logged => logged.Id).Should().OnlyHaveUniqueItems();
        events.Select(logged => logged.Name).Should().OnlyHaveUniqueItems();
    }

    /// <summary>The generated code names an event after its method, unless the attribute says otherwise.</summary>
    [Fact]
    public void A_logged_line_has_the_id_the_level_and_the_name_of_its_method()
    {
        foreach (var (method, message) in _methods)
        {
            using var logs = new RecordedLogs();
            var logger = logs.CreateLogger("");
            var values = method.GetParameters().Select(parameter => ValueOf(parameter.ParameterType, logger));
            method.Invoke(null, [.. values]);

            var line = logs.Lines.Should().ContainSingle().Which;
            (line.Event.Id, line.Event.Name, line.Level).Should()
                .Be((message.EventId, method.Name, message.Level), "{0} logs its own event", method.Name);
        }
    }

    private static object? ValueOf(Type type, ILogger logger) =>
        type == typeof(ILogger) ? logger
        : type == typeof(Exception) ? new InvalidOperationException("x")
        : type == typeof(string) ? "x"
        : type.IsValueType ? Activator.CreateInstance(type)
        : null;

    private static IEnumerable<(MethodInfo Method, LoggerMessageAttribute Message)> FindMethods()
    {
        Assembly[] stores =
            [typeof(Sqlite.SqliteTasksOptions).Assembly, typeof(PostgreSql.PostgreSqlTasksOptions).Assembly];
        var relational = stores.SelectMany(store => store.GetReferencedAssemblies())
            .First(name => name.Name == "Kaiju.Tasks.Relational");
        Assembly[] assemblies = [typeof(ITaskClient).Assembly, Assembly.Load(relational), .. stores];
        return from type in assemblies.SelectMany(assembly => assembly.GetTypes())
               from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
               let message = method.GetCustomAttribute<LoggerMessageAttribute>()
               where message is not null
               select (method, message);
    }

    [GeneratedRegex(
        @"^(?<event>\| (?<id>\d+) \| \w+ \| \w+ \| [^|]* \|) (?<what>[^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
