using System.Globalization;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// The cost of waits for other tasks: statements of a task by the server's own count. It is measured without waiters
/// and with 100 and 1,000 of them in the process. The tasks are created one after another, each when the previous one
/// is done, so that no two share a statement.
/// </summary>
internal static class Waiters
{
    private const int WarmUp = 20;

    public static async Task<Dictionary<string, double>> MeasureAsync(string name, Arguments arguments)
    {
        var (store, tasks) = (arguments.Text("store"), arguments.Number("tasks", 200));
        await Machine.ExecuteAsync(store, Idle.Track("set pg_stat_statements.track = 'top'"));
        await using var engine = (KaijuEngine)Probe.Open(name, arguments);
        await engine.OpenAsync();
        await Machine.ExecuteAsync(store, "create extension if not exists pg_stat_statements");
        await engine.StartWorkersAsync();
        await RunAsync(engine, WarmUp);

        var figures = new Dictionary<string, double>();
        using var end = new CancellationTokenSource();
        var waits = new List<Task>();
        foreach (var waiters in (int[])[0, 100, 1_000])
        {
            for (; waits.Count < waiters;)
            {
                waits.Add(await engine.WaitForParkedAsync(end.Token));
            }

            await Probe.PauseAsync(TimeSpan.FromMilliseconds(500));
            var before = await Machine.AskAsync<long>(store, Idle.Calls);
            await RunAsync(engine, tasks);
            var statements = await Machine.AskAsync<long>(store, Idle.Calls) - before - 1;
            figures[string.Create(CultureInfo.InvariantCulture, $"statements{waiters}_per_task")] =
                statements / (double)tasks;
        }

        figures["ratio100"] = figures["statements100_per_task"] / figures["statements0_per_task"];
        figures["ratio1000"] = figures["statements1000_per_task"] / figures["statements0_per_task"];
        await end.CancelAsync();
        await Task.WhenAll(waits).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await engine.StopWorkersAsync();
        await Machine.ExecuteAsync(store, Idle.Track("reset pg_stat_statements.track"));
        return figures;
    }

    private static async Task RunAsync(KaijuEngine engine, int tasks)
    {
        Meter.Reset(0);
        for (var task = 0; task < tasks; task++)
        {
            await engine.CreateAsync(task);
            await Probe.UntilAsync(() => Task.FromResult(Meter.Executing > task), TimeSpan.FromMilliseconds(1));
        }
    }
}
