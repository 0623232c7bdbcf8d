namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// The cost of an idle manager and executor: the process's CPU, and statements by the server's own count.
/// </summary>
internal static class Idle
{
    public const string Calls =
        "select coalesce(sum(s.calls), 0)::bigint from pg_stat_statements s join pg_database d on d.oid = s.dbid "
            + "where d.datname = current_database()";

    public static async Task<Dictionary<string, double>> MeasureAsync(string name, Arguments arguments)
    {
        var store = arguments.Text("store");
        await Machine.ExecuteAsync(store, Track("set pg_stat_statements.track = 'top'"));
        await using var engine = Probe.Open(name, arguments);
        await engine.OpenAsync();
        for (var job = 0; job < 20; job++)
        {
            await engine.CreateAsync(job);
        }

        await Machine.ExecuteAsync(store, "create extension if not exists pg_stat_statements");
        await engine.StartWorkersAsync();
        await Probe.DrainedAsync(engine, 20);
        await Probe.PauseAsync(TimeSpan.FromMilliseconds(500));

        var usage = await Usage.BeginAsync(arguments);
        var before = await Machine.AskAsync<long>(store, Calls);
        await Probe.PauseAsync(TimeSpan.FromSeconds(arguments.Number("seconds", 10)));
        var figures = new Dictionary<string, double>();

        // The query of the counter is one of them.
        var statements = await Machine.AskAsync<long>(store, Calls) - before - 1;
        await usage.NoteAsync(figures, "idle", 1, usage.Seconds);
        figures["statements_per_s"] = Math.Max(0, statements) / usage.Seconds;
        figures["cpu_share"] = figures["idle_cpu_us"] / 1e6 / usage.Seconds;
        figures["server_cpu_share"] = figures["idle_server_us"] / 1e6 / usage.Seconds;
        await engine.StopWorkersAsync();
        await Machine.ExecuteAsync(store, Track("reset pg_stat_statements.track"));
        return figures;
    }

    /// <summary>
    /// Turns counting on or off for sessions that begin afterwards: counting slows measurements of speed a little.
    /// </summary>
    public static string Track(
        string setting) => $"do $$ begin execute format('alter database %I "
            + $"{setting.Replace("'", "''", StringComparison.Ordinal)}', current_database()); end $$";
}
