using System.Text.Json;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// The time from the call that creates a job to the start of its handler: idle workers, a job every 20 ms. Jobs are
/// created in the same process or in another one.
/// </summary>
internal static class Latency
{
    private const int WarmUp = 25;
    private static readonly TimeSpan _step = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _rest = TimeSpan.FromMilliseconds(300);

    public static async Task<Dictionary<string, double>> MeasureAsync(
        string name, Arguments arguments, bool isElsewhere)
    {
        var jobs = arguments.Number("jobs", 200);
        await using var engine = Probe.Open(name, arguments);
        await engine.OpenAsync();
        Meter.Reset(WarmUp + jobs);
        await engine.StartWorkersAsync();
        await Probe.PauseAsync(_rest);
        var created = isElsewhere
            ? await CreateElsewhereAsync(name, arguments, jobs)
            : await CreateHereAsync(engine, jobs);
        await Probe.UntilAsync(() => Task.FromResult(Meter.Executing >= WarmUp + jobs), TimeSpan.FromMilliseconds(2));
        await engine.StopWorkersAsync();
        var latencies = created.Select(
            (at, job) => TimeProvider.System.GetElapsedTime(at, Meter.StartOf(WarmUp + job)).TotalMilliseconds)
            .Order()
            .ToList();
        return new Dictionary<string, double>
        {
            ["p50_ms"] = Quantile(latencies, 0.5),
            ["p99_ms"] = Quantile(latencies, 0.99),
            ["most_ms"] = latencies[^1],
        };
    }

    /// <summary>The other process: creates jobs and writes the times. Both use the machine's clock.</summary>
    public static async Task ProduceAsync(string name, Arguments arguments)
    {
        await using var engine = Probe.Open(name, arguments, isFirst: false);
        await engine.OpenAsync();
        await WarmUpAsync(engine);
        Console.WriteLine(JsonSerializer.Serialize(await PaceAsync(engine, WarmUp, arguments.Number("jobs", 200))));
    }

    /// <summary>
    /// The first jobs wait for the compiler, in this process and in the executing one; measured jobs wait for no other
    /// job.
    /// </summary>
    private static async Task WarmUpAsync(Subject engine)
    {
        await PaceAsync(engine, 0, WarmUp);
        await Probe.PauseAsync(_rest);
    }

    private static async Task<long[]> CreateHereAsync(Subject engine, int jobs)
    {
        await WarmUpAsync(engine);
        return await PaceAsync(engine, WarmUp, jobs);
    }

    private static async Task<long[]> CreateElsewhereAsync(string name, Arguments arguments, int jobs)
    {
        using var producer = Children.Start(
            ["produce", name, "--store", arguments.Text("store"), "--capacity", arguments.Text(
                "capacity", "0"), "--jobs", $"{jobs}"]);
        var created = JsonSerializer.Deserialize<long[]>((await producer.StandardOutput.ReadLineAsync())!)!;
        await producer.WaitForExitAsync();
        return created;
    }

    private static async Task<long[]> PaceAsync(Subject engine, int first, int jobs)
    {
        var created = new long[jobs];
        var began = TimeProvider.System.GetTimestamp();
        for (var job = 0; job < jobs; job++)
        {
            if (_step * job - TimeProvider.System.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
            {
                await Probe.PauseAsync(left);
            }

            created[job] = TimeProvider.System.GetTimestamp();
            await engine.CreateAsync(first + job);
        }

        return created;
    }

    private static double Quantile(List<double> sorted, double share) =>
        sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(share * sorted.Count) - 1)];
}
