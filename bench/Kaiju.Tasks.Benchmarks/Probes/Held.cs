using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// Jobs executed to their recorded ends while other queued tasks of the same app lie ahead of them. The executor does
/// not know the command of those, so they are held. It is measured without them and with them in the same store.
/// </summary>
internal static class Held
{
    private const int Bulk = 1000;

    public static async Task<Dictionary<string, double>> MeasureAsync(string name, Arguments arguments)
    {
        var (jobs, held) = (arguments.Number("bulk", 10_000), arguments.Number("held", 200_000));
        await using var engine = (KaijuEngine)Probe.Open(name, arguments);
        await engine.OpenAsync();
        await DrainAsync(engine, arguments.Number("warm", 2_000));

        var alone = await DrainAsync(engine, jobs);
        await engine.PingAsync();
        for (var first = 0; first < held; first += Bulk)
        {
            await engine.CreateUnknownAsync(Math.Min(Bulk, held - first));
        }

        await CheckAsync(engine, held);
        if (name == "kaiju-postgresql")
        {
            var store = arguments.Text("store");
            await Machine.ExecuteAsync(store, "vacuum analyze");
            await Machine.ExecuteAsync(store, "checkpoint");
        }

        await engine.PingAsync();
        var beside = await DrainAsync(engine, jobs);
        await CheckAsync(engine, held);
        return new Dictionary<string, double>
        {
            ["alone_per_s"] = alone,
            ["beside_held_per_s"] = beside,
            ["ratio"] = beside / alone,
        };
    }

    private static async Task CheckAsync(KaijuEngine engine, int held)
    {
        if (await engine.CountHeldAsync() is var count && count != held)
        {
            throw new InvalidOperationException($"{count} tasks are held instead of {held}.");
        }
    }

    private static async Task<double> DrainAsync(KaijuEngine engine, int jobs)
    {
        for (var first = 0; first < jobs; first += Bulk)
        {
            await engine.CreateManyAsync(first, Math.Min(Bulk, jobs - first));
        }

        await Probe.PauseAsync(TimeSpan.FromMilliseconds(200));
        Meter.Reset(jobs);
        var began = TimeProvider.System.GetTimestamp();
        await engine.StartWorkersAsync();
        await Probe.DrainedAsync(engine, jobs);
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        await engine.StopWorkersAsync();
        return jobs / seconds;
    }
}
