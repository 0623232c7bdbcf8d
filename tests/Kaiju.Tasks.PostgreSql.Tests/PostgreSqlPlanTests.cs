using System.Text.Json;
using System.Text.RegularExpressions;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// No statement reads a whole table, for any number and distribution of rows: at 200,000 rows, analysed, all of one
/// state.
/// </summary>
public sealed partial class PostgreSqlPlanTests
{
    private const int Rows = 200_000;
    private static readonly string[] _large = ["tasks", "states", "results", "failures", "runs", "notifications"];

    [Theory]
    [InlineData("finished")]
    [InlineData("scheduled")]
    [InlineData("ready")]
    [InlineData("held")]
    public async Task No_statement_scans_a_table(string distribution)
    {
        var server = await Servers.PostgresAsync();
        await using var dataSource = DedicatedDataSource.Build(
            server.ConnectionString(await server.CreateDatabaseAsync("plans")), false);
        await using var store = new PostgreSqlTaskStore(
            dataSource,
            new PostgreSqlTasksOptions { PollingOnly = true },
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance);
        await store.StartAsync(default);
        await using var connection = await dataSource.OpenConnectionAsync();
        await FillAsync(connection, distribution);

        var scans = new List<string>();
        foreach (var (name, text) in PlannedStatements.Of(store.Sql))
        {
            foreach (var node in Nodes(await PlanAsync(connection, text)))
            {
                var (kind, relation) = (Text(node, "Node Type"), Text(node, "Relation Name"));
                if (kind == "Seq Scan" && _large.Contains(relation))
                {
                    scans.Add($"{name}: {kind} on {relation}");
                }
            }
        }

        scans.Should().BeEmpty();
        foreach (var (statement, indexes) in PlannedStatements.OfQueue.Concat([
            ("claim", [PlannedStatements.Common]),
            ("claim_routed", [PlannedStatements.Common, PlannedStatements.Held])]))
        {
            Nodes(await PlanAsync(connection, store.Sql[statement])).Select(node => Text(node, "Index Name"))
                .Where(index => index is PlannedStatements.Common or PlannedStatements.Held or "states_queue")
                .Distinct().Should().BeEquivalentTo(indexes, statement);
        }
    }

    /// <summary>Under any plan a claim takes exactly the requested number.</summary>
    [Theory]
    [InlineData("enable_indexscan=off;enable_indexonlyscan=off;enable_bitmapscan=off")]
    [InlineData("enable_nestloop=off")]
    [InlineData("enable_hashjoin=off;enable_mergejoin=off;enable_material=off")]
    [InlineData("enable_seqscan=off;enable_sort=off")]
    public async Task A_claims_limit_holds_under_any_plan(string settings)
    {
        var server = await Servers.PostgresAsync();
        var options = string.Join(' ', settings.Split(';').Select(setting => $"-c {setting}"));
        await using var dataSource = DedicatedDataSource.Build(
            server.ConnectionString(await server.CreateDatabaseAsync("limits"), $"Options={options}"), false);
        await using var store = new PostgreSqlTaskStore(
            dataSource,
            new PostgreSqlTasksOptions { PollingOnly = true },
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance);
        await store.CreateAsync(
            [.. Enumerable.Range(0, 1_000).Select(i => PostgreSqlFaultTests.Definition($"t{i:0000}", 1))],
            OnConflict.Fail,
            default);

        foreach (var most in new[] { 1, 7, 100 })
        {
            using var queue = new RelationalTaskQueue(store, TimeProvider.System);
            var claimed = await queue.ClaimAsync(
                new Queueing.ClaimRequest
                {
                    Executor = new ExecutorInfo
                    {
                        Id = "e",
                        AppName = "default",
                        Apps = ["default", "other"],
                        Capacity = most,
                    },
                    MaxTasks = most,
                    MaxBytes = long.MaxValue,
                },
                default);
            claimed.Should().HaveCount(most);
        }

        await using var running = dataSource.CreateCommand("select count(*) from kaiju_tasks.states where state = 2");
        (await running.ExecuteScalarAsync()).Should().Be(108L);
    }

    /// <summary>
    /// The rows that a claim, a tick and a page really read, by the server's counts and not by the plan.
    /// </summary>
    [Theory]
    [InlineData("finished")]
    [InlineData("scheduled")]
    [InlineData("ready")]
    [InlineData("held")]
    public async Task The_engines_regular_statements_read_few_rows(string distribution)
    {
        var server = await Servers.PostgresAsync();
        await using var dataSource = DedicatedDataSource.Build(
            server.ConnectionString(await server.CreateDatabaseAsync("reads")), false);
        await using var store = new PostgreSqlTaskStore(
            dataSource,
            new PostgreSqlTasksOptions { PollingOnly = true },
            new LifecycleRules(),
            IdSource.Random,
            NullLogger<PostgreSqlTaskStore>.Instance);
        await store.StartAsync(default);
        await using var connection = await dataSource.OpenConnectionAsync();
        await FillAsync(connection, distribution);

        Argument[] page = [
            Argument.Integer("most", 10),
            Argument.Integer("scanned", TaskReading.MostScanned),
            Argument.Long("most_bytes", Pieces.MostBytes)];
        Argument[] due = [
            Argument.Integer("most", 10),
            Argument.Long("most_bytes", Pieces.MostBytes),
            Argument.Integer("whole", DefinitionNeed.All.Traits),
            Argument.Longs("except", [])];
        Argument Now() => Argument.Long("now", Ticks.Of(TimeProvider.System.GetUtcNow()));
        foreach (var (name, statement, arguments, most) in new (string, string, Argument[], long)[]
        {
            ("claim", "claim",
                [
                    Argument.Texts("apps", ["default", "other"]),
                    Argument.Integer("most", 10),
                    Argument.Long("most_bytes", long.MaxValue),
                    Argument.Text("executor", "e"),
                    Argument.Long("grace", 0),
                ], 100),
            ("next duty", "next_duty", [Argument.Longs("except", [])], 20),
            ("queue due", "load_due", [Argument.Integer("duty", 2), Now(), .. due], 50),
            ("abort overdue", "load_overdue", [Now(), .. due], 50),
            ("clean up", "ended", [
                Argument.Integer("state", 5), Argument.Long("before", 1_000), Argument.Integer("most", 10)], 50),
            ("is anything queued", "has_queued",
                [Argument.Texts("apps", ["other", "default"]), Argument.Text("executor", "e")], 20),
            ("the groups of held tasks", "held_groups", [Argument.Integer("most", 10)], 20),
            ("the next tasks of the common queue", "common_queue",
                [
                    Argument.Text("app", "default"),
                    Argument.Integer("priority", 0),
                    Argument.Long("queued_at", Rows / 2),
                    Argument.Long("task_no", 0),
                    Argument.Integer("looked", 10),
                    Argument.Integer("most", 10),
                    Argument.Integer("skipped", 0),
                ], 50),
            ("the routes of the next tasks of the common queue", "common_routes",
                [
                    Argument.Text("app", "default"),
                    Argument.Integer("priority", 0),
                    Argument.Long("queued_at", Rows / 2),
                    Argument.Long("task_no", 0),
                    Argument.Integer("looked", 10),
                ], 50),
            ("the hold of a group", "rehold_group",
                [
                    Argument.Integer("hold", 1),
                    Argument.Integer("to", 0),
                    Argument.Text("app", "default"),
                    Argument.Text("method", "do"),
                    Argument.Integer("most", 10),
                ], 100),
            List("failed tasks", new TaskQuery { State = TaskState.Failed }, 50),
            List("all tasks", new TaskQuery(), 100),
            List("a user's tasks", new TaskQuery { UserId = "u" }, 100),
            List("a group's tasks", new TaskQuery { Group = "g" }, 100),
            List("finished tasks", new TaskQuery { State = TaskState.Finished }, 3 * TaskReading.MostScanned),
            List("tasks of nobody's app", new TaskQuery { AppName = "nobody" }, 3 * TaskReading.MostScanned),
            List(
                "tasks whose id begins with nothing that there is",
                new TaskQuery { IdPrefix = "z" },
                3 * TaskReading.MostScanned),
        })
        {
            await using var transaction = await connection.BeginTransactionAsync();
            var parts = new StoreParts(
                new LifecycleRules(),
                TaskLifecycle.Next,
                IdSource.Random,
                store.Sql,
                TimeProvider.System,
                NullLogger.Instance);
            var step = new PostgreSqlStep(connection, null, parts, StepTry.First, default);
            var before = await ReadAsync(step);
            await step.QueryAsync(statement, _ => true, arguments);
            ((await ReadAsync(step)) - before).Should().BeLessThan(most, name);
            await transaction.RollbackAsync();
        }

        static async Task<long> ReadAsync(PostgreSqlStep step) =>
            (await step.QueryAsync(
                "select coalesce(sum(seq_tup_read), 0)::bigint + coalesce(sum(idx_tup_fetch), 0)::bigint from "
                    + "pg_stat_xact_user_tables where schemaname = 'kaiju_tasks'",
                row => row.GetInt64(0)))[0];

        (string, string, Argument[], long) List(string name, TaskQuery query, long most)
        {
            var list = ListStatement.Of(query, null, store.Sql);
            return (name, list.Text, [.. list.Arguments, .. page], most);
        }
    }

    [GeneratedRegex(@"@(\w+)(::\w+(\[\])?)?")]
    private static partial Regex Arguments();

    private static async Task<JsonElement> PlanAsync(NpgsqlConnection connection, string text)
    {
        // As for prepared statements: planned for any argument, with the types that the driver names.
        var names = Arguments().Matches(text).Select(match => match.Groups[1].Value).Distinct().ToList();
        var types = names.ConvertAll(
            name => Regex.Match(text, $@"@{name}::(\w+(\[\])?)") is { Success: true } cast
                ? cast.Groups[1].Value
                : TypeOf(name, text));
        var numbered = Arguments().Replace(
            text, match => $"${names.IndexOf(match.Groups[1].Value) + 1}{match.Groups[2].Value}");
        var signature = types.Count == 0 ? "" : $"({string.Join(", ", types)})";
        await ExecuteAsync(
            connection, $"set plan_cache_mode = force_generic_plan; prepare planned{signature} as {numbered}");
        var arguments = names.Count == 0 ? "" : $"({string.Join(", ", names.Select(_ => "null"))})";
        await using var explain = new NpgsqlCommand($"explain (format json) execute planned{arguments}", connection);
        var plan = JsonElement.Parse((string)(await explain.ExecuteScalarAsync())!);
        await ExecuteAsync(connection, "deallocate planned");
        return plan;
    }

    private static string TypeOf(string name, string text) =>
        text.Contains($"any(@{name})", StringComparison.Ordinal)
            ? name is "ids" && text.Contains("notifications", StringComparison.Ordinal) || name is "tasks" ? "bigint[]"
            : "text[]"
        : name switch
        {
            "now" or "before" or "alive" or "ping" or "last_seen" or "since" or "before_last_seen" or "before_since"
                or "most_bytes" or "grace" or "task_no" or "created_from" or "created_to" or "after_created"
                or "announced" or "until" or "at" or "queued_at" => "bigint",
            "most" or "scanned" or "whole" or "state" or "duty" or "run_no" or "pass" or "stage" or "prefix_length"
                or "hold" or "to" or "priority" or "looked" or "skipped" => "int",
            "claim" or "creation" => "uuid",
            "is_periodic" or "enabled" or "is_changed" => "boolean",
            _ => "text",
        };

    private static IEnumerable<JsonElement> Nodes(JsonElement plan) => plan.ValueKind switch
    {
        JsonValueKind.Array => plan.EnumerateArray().SelectMany(Nodes),
        JsonValueKind.Object => plan.EnumerateObject().SelectMany(member => Nodes(member.Value)).Prepend(plan),
        _ => [],
    };

    private static string? Text(JsonElement node, string member) =>
        node.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static async Task FillAsync(NpgsqlConnection connection, string distribution)
    {
        var (state, queuedAt, duty, due, ended) = distribution switch
        {
            "finished" => ("5", "i", "null", "null", "i"),
            "scheduled" => ("0", "null", "2", "9000000000000000000 - i", "null"),
            _ => ("1", "i", "null", "null", "null"),
        };
        await ExecuteAsync(
            connection,
            $"""
            insert into kaiju_tasks.tasks (id, creation, created, revision, app, group_name, group_id, user_id,
                is_periodic, definition)
            select 't' || i, gen_random_uuid(), i, 0, 'default', case when i % 100 = 0 then 'g' end,
                case when i % 1000 = 0 then 'g' end, case when i % 50 = 0 then 'u' end, false,
                '{PostgreSqlFaultTests.Definition("x", 1).ToStoredJson().Replace("'", "''", StringComparison.Ordinal)}'
            from generate_series(1, {Rows}) i;
            insert into kaiju_tasks.states (task_no, app, priority, enabled, stages, traits, max_exec, created, bytes,
                revision, run_no, result_run_no, results, result_bytes, state, stage, job_id,
                pass, result_pass, retries, interruptions, queued_at, wait, status_change, skipped, chain, duty, due,
                    ended, hold, method)
            select i, 'default', 0, true, 1, 0, 1, i, 0, 0, 1, 1, 1, 0, {state}, 0, 'j', 0, 0, 0, 0, {queuedAt}, 0, i,
                0, 0, {duty}, {due}, {ended}, {(distribution == "held" ? 1 : 0)}, 'do'
            from (select task_no as i from kaiju_tasks.tasks) t;
            insert into kaiju_tasks.results (task_no, run_no, pass, stage, attempt, started, finished,
                result) select task_no, 1, 0, 0, 1, 0, 0, 'null' from kaiju_tasks.tasks;
            insert into kaiju_tasks.failures (task_no, run_no, pass, stage, attempt, started, finished,
                error) select task_no, 1, 0, 0, 1, 0, 0, 'null' from kaiju_tasks.tasks;
            insert into kaiju_tasks.runs (task_no, run_no, pass, job_id, state, retries, chain, ended) select task_no,
                1, 0, 'j', 5, 0, 0, 0 from kaiju_tasks.tasks;
            insert into kaiju_tasks.notifications (task_id, job_id, user_id, state, is_final, result, created,
                is_delivered) select id, 'j', user_id, 5, true, '[]', created, true from kaiju_tasks.tasks;
            analyze;
            """);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync();
    }
}
