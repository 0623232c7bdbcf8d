using System.Text.RegularExpressions;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>
/// No statement scans a table, for any number and distribution of rows: at 200,000 rows, analysed, all of one state.
/// </summary>
public sealed partial class SqlitePlanTests
{
    private const int Rows = 200_000;

    // Reads the table in the order of its numbers, from the first, up to its limit.
    private const string OldestFirst = "delete_notifications";

    // Read whole and without an index: the executors with their commands, the pauses and the holds, which are few, and
    // lists that a statement brings with it.
    [GeneratedRegex(
        @"^SCAN (?!kaiju_(executors|announcements|commands|pauses|holds)\b)"
        + @"(?!(same|lower|later|q|e|g|i|c|a|json_each|constant row|\d+ constant|r|n|o|l|t)\b)"
        + @"(?!\(subquery-\d+\))(?!\w+ USING (COVERING )?INDEX)",
        RegexOptions.IgnoreCase)]
    private static partial Regex Scan();

    [Theory]
    [InlineData("finished")]
    [InlineData("scheduled")]
    [InlineData("ready")]
    [InlineData("held")]
    public async Task No_statement_scans_a_table(string distribution)
    {
        using var file = new TemporaryFile();
        using var store = new SqliteTaskStore(
            file.Options,
            TimeProvider.System,
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<SqliteTaskStore>.Instance);
        await store.StartAsync(default);
        using var connection = file.Open();
        Fill(connection, distribution);

        var scans = new List<string>();
        foreach (var (name, text) in PlannedStatements.Of(store.Sql).Where(statement => statement.Name != OldestFirst))
        {
            var nodes = Plan(connection, text);
            foreach (var (parent, detail) in nodes)
            {
                if (detail == "USE TEMP B-TREE FOR ORDER BY" && name.Contains("list all", StringComparison.Ordinal)
                    && nodes.Exists(node => node.Parent == parent && AllTasks().IsMatch(node.Detail)))
                {
                    // A page in the order of creation comes from the index in that order; sorting it would read all
                    // rows. The rows of one page may be sorted.
                    scans.Add($"{name}: {detail}");
                }

                if (Scan().IsMatch(detail) || (detail.StartsWith("SCAN ", StringComparison.Ordinal)
                    && BaseTables().IsMatch(detail)))
                {
                    scans.Add($"{name}: {detail}");
                }
            }
        }

        scans.Should().BeEmpty();
        foreach (var (statement, indexes) in PlannedStatements.OfQueue.Concat(
            [("queued", [PlannedStatements.Common]), ("queued_for_some", [PlannedStatements.Held])]))
        {
            Plan(connection, store.Sql[statement]).SelectMany(node => IndexOfStates().Matches(node.Detail))
                .Select(index => index.Groups[1].Value).Distinct().Should().BeEquivalentTo(indexes, statement);
        }

        Plan(connection, store.Sql["held_groups"]).Should().Contain(
            node => node.Detail.Contains("(hold,app,method)>(?,?,?)", StringComparison.Ordinal),
            "a step to the next group does not read the rest of a group");
    }

    private static List<(int Parent, string Detail)> Plan(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"explain query plan {text}";
        foreach (Match argument in Arguments().Matches(text))
        {
            if (!command.Parameters.Contains(argument.Value))
            {
                command.Parameters.AddWithValue(argument.Value, 1);
            }
        }

        var nodes = new List<(int Parent, string Detail)>();
        using var plan = command.ExecuteReader();
        while (plan.Read())
        {
            nodes.Add((plan.GetInt32(1), plan.GetString(3)));
        }

        return nodes;
    }

    [GeneratedRegex(@"INDEX kaiju_(states_(?:queued|held|queue))\b")]
    private static partial Regex IndexOfStates();

    [GeneratedRegex(@"^SCAN t\b")]
    private static partial Regex AllTasks();

    [GeneratedRegex(@"@\w+")]
    private static partial Regex Arguments();

    // A list without a filter reads its index in order, page by page. No other statement may read a whole index, except
    // that of running tasks, which has at most as many rows as executors have slots.
    [GeneratedRegex(
        @"SCAN (kaiju_states|kaiju_results|kaiju_failures|kaiju_runs|s)\b(?! USING INDEX kaiju_states_running)")]
    private static partial Regex BaseTables();

    private static void Fill(SqliteConnection connection, string distribution)
    {
        var (state, queuedAt, duty, due, ended) = distribution switch
        {
            "finished" => (5, "i", "null", "null", "i"),
            "scheduled" => (0, "null", "2", "i + 1000000", "null"),
            _ => (1, "i", "null", "null", "null"),
        };
        using var command = connection.CreateCommand();
        command.CommandTimeout = 120;
        command.CommandText =
            $"""
            begin;
            with recursive n(i) as (select 1 union all select i + 1 from n where i < {Rows})
            insert into kaiju_tasks (task_no, id, creation, created, revision, app, group_name, group_id, user_id,
                is_periodic, definition)
            select i, 't' || i, '', i, 0, 'default', iif(i % 100 = 0, 'g', null), iif(i % 1000 = 0, 'g', null),
                iif(i % 50 = 0, 'u', null), 0, '' from n;
            insert into kaiju_states (task_no, app, priority, enabled, stages, traits, max_exec, created, bytes,
                revision, run_no, result_run_no, results, result_bytes, state, stage, job_id,
                pass, result_pass, retries, interruptions, queued_at, wait, status_change, skipped, chain, duty, due,
                    ended, hold, method)
            select i, 'default', 0, 1, 1, 0, 1, i, 0, 0, 1, 1, 1, 0, {state}, 0, 'j', 0, 0, 0, 0, {queuedAt}, 0, i, 0,
                0, {duty}, {due}, {ended}, {(distribution == "held" ? 1 : 0)}, 'do'
                from (select task_no as i from kaiju_tasks);
            insert into kaiju_results (task_no, run_no, pass, stage, attempt, started, finished,
                result) select task_no, 1, 0, 0, 1, 0, 0, 'null' from kaiju_tasks;
            insert into kaiju_notifications (task_id, job_id, user_id, state, is_final, result, created) select id,
                'j', user_id, 5, 1, '[]', created from kaiju_tasks;
            commit;
            analyze;
            """;
        command.ExecuteNonQuery();
    }
}
