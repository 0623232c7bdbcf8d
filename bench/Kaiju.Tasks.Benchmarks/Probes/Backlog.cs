using System.Globalization;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// Rows beside the measured ones: finished tasks with their results, and tasks that are due tomorrow; copies of a real
/// one.
/// </summary>
internal static class Backlog
{
    public static async Task FillAsync(Subject engine, Arguments arguments)
    {
        var rows = arguments.Number("backlog");
        if (rows == 0)
        {
            return;
        }

        if (engine is not KaijuEngine kaiju)
        {
            throw new ArgumentException("Only Kaiju.Tasks is measured beside other rows.");
        }

        await kaiju.CreateScheduledAsync("scheduled", TimeSpan.FromDays(1));
        var store = arguments.Text("store");
        var finished = await Machine.AskAsync<long>(
            store, "select min(task_no) from kaiju_tasks.states where state = 5");
        var scheduled = await Machine.AskAsync<long>(
            store, "select task_no from kaiju_tasks.tasks where id = 'scheduled'");
        var next = await Machine.AskAsync<long>(
            store,
            $"select setval(pg_get_serial_sequence('kaiju_tasks.tasks', 'task_no'), max(task_no) + {2L * rows}) - "
                + $"{2L * rows} from kaiju_tasks.tasks");

        // Uses two connections, since the machine has two cores.
        await Task.WhenAll(
            FillAsync(
                store,
                [await CopyAsync("tasks", finished, next, "finished"), await CopyAsync(
                    "tasks", scheduled, next + rows, "scheduled"), "vacuum analyze kaiju_tasks.tasks"]),
            FillAsync(
                store,
                [await CopyAsync("states", finished, next), await CopyAsync("results", finished, next), await CopyAsync(
                    "states", scheduled, next + rows), "vacuum analyze kaiju_tasks.states, kaiju_tasks.results"]));
        await Machine.ExecuteAsync(store, "checkpoint");

        // Copies a row under the following numbers; a definition also under new ids.
        async Task<string> CopyAsync(string table, long template, long last, string? name = null)
        {
            var columns = await ColumnsAsync(store, table, "task_no", "id");
            var (column, value) = name is null ? ("", "") : ("id, ", $"'{name}-' || lpad(g::text, 9, '0'), ");
            return string.Create(CultureInfo.InvariantCulture, $"""
                insert into kaiju_tasks.{table} (task_no, {column}{columns}) overriding system value
                select {last} + g, {value}{columns} from (select * from kaiju_tasks.{table}
                    where task_no = {template}) t, generate_series(1, {rows}) g
                """);
        }
    }

    private static async Task FillAsync(string store, string[] statements)
    {
        foreach (var sql in statements)
        {
            await Machine.ExecuteAsync(store, sql);
        }
    }

    private static Task<string> ColumnsAsync(string store, string table, params string[] without) =>
        Machine.AskAsync<string>(
        store,
        $"""
        select string_agg(column_name, ', ' order by ordinal_position) from information_schema.columns
        where table_schema = 'kaiju_tasks' and table_name = '{table}' and column_name not in ({string.Join(", ",
        without.Select(name => $"'{name}'"))})
        """);
}
