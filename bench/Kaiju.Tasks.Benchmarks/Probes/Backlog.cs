using System.Globalization;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>Rows beside those that are measured: finished ones with their results, and ones that are due tomorrow; copies of one that is real.</summary>
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
            throw new ArgumentException("Only our own engine is measured beside other rows.");
        }

        await kaiju.CreateScheduledAsync("scheduled", TimeSpan.FromDays(1));
        var store = arguments.Text("store");
        await Task.WhenAll(
            CopyAsync(store, "(select min(task_no) from kaiju_tasks.states where state = 5)", "finished", rows),
            CopyAsync(store, "(select task_no from kaiju_tasks.tasks where id = 'scheduled')", "scheduled", rows));
        foreach (var sql in (string[])["vacuum analyze", "checkpoint"])
        {
            await Machine.ExecuteAsync(store, sql);
        }
    }

    private static async Task CopyAsync(string store, string template, string name, int rows)
    {
        var tasks = await ColumnsAsync(store, "tasks", "task_no", "id");
        var states = await ColumnsAsync(store, "states", "task_no");
        var results = await ColumnsAsync(store, "results", "task_no");
        await Machine.ExecuteAsync(store, string.Create(CultureInfo.InvariantCulture, $"""
            with n as materialized (
                insert into kaiju_tasks.tasks (id, {tasks})
                select '{name}-' || lpad(g::text, 9, '0'), {tasks} from (select * from kaiju_tasks.tasks where task_no = {template}) t, generate_series(1, {rows}) g returning task_no as new_no),
            s as (
                insert into kaiju_tasks.states (task_no, {states}) select new_no, {states} from n, kaiju_tasks.states where task_no = {template})
            insert into kaiju_tasks.results (task_no, {results}) select new_no, {results} from n, kaiju_tasks.results where task_no = {template}
            """));
    }

    private static Task<string> ColumnsAsync(string store, string table, params string[] without) => Machine.AskAsync<string>(
        store,
        $"""
        select string_agg(column_name, ', ' order by ordinal_position) from information_schema.columns
        where table_schema = 'kaiju_tasks' and table_name = '{table}' and column_name not in ({string.Join(", ", without.Select(name => $"'{name}'"))})
        """);
}
