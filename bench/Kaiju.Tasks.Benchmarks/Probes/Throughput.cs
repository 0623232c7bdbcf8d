using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// Jobs a second: created one by one, by 8 and by 64 concurrent callers, in bulk; and executed to their recorded ends.
/// </summary>
internal static class Throughput
{
    private const int Bulk = 1000;

    private static readonly string[] _creations = ["create1", "create8", "create64", "bulk"];

    public static async Task<Dictionary<string, double>> MeasureAsync(string name, Arguments arguments)
    {
        if (_creations.All(work => arguments.Number(work) == 0))
        {
            throw new ArgumentException(
                "No measurement is given: add at least one of --create1, --create8, --create64 and --bulk, such as "
                    + "--bulk 12000.");
        }

        var figures = new Dictionary<string, double>();
        var stages = arguments.Number("stages", 1);
        await using var engine = Probe.Open(name, arguments);
        await engine.OpenAsync();
        await WarmUpAsync(engine, arguments.Number("warm", 300), stages);
        await Backlog.FillAsync(engine, arguments);

        var next = 0;
        foreach (var (work, callers) in ((string, int)[])[("create1", 1), ("create8", 8), ("create64", 64)])
        {
            if (arguments.Number(work) is > 0 and var jobs)
            {
                var usage = await Usage.BeginAsync(arguments);
                await CreateAsync(engine, next, jobs, callers);
                await usage.NoteAsync(figures, work, jobs, usage.Seconds);
                next += jobs;
            }
        }

        if (arguments.Number("bulk") is > 0 and var bulk)
        {
            var usage = await Usage.BeginAsync(arguments);
            for (var first = 0; first < bulk; first += Bulk)
            {
                await engine.CreateManyAsync(next + first, Math.Min(Bulk, bulk - first));
            }

            await usage.NoteAsync(figures, "bulk", bulk, usage.Seconds);
            next += bulk;
        }

        await Probe.PauseAsync(TimeSpan.FromMilliseconds(200));
        Meter.Reset(next);
        var drain = await Usage.BeginAsync(arguments);
        await engine.StartWorkersAsync();
        await Probe.DrainedAsync(engine, next * stages);
        await drain.NoteAsync(figures, "drain", next, drain.Seconds);
        figures["stages_per_s"] = figures["drain_per_s"] * stages;
        figures["peak_mb"] = Machine.PeakMegabytes();
        await engine.StopWorkersAsync();
        return figures;
    }

    private static async Task WarmUpAsync(Subject engine, int jobs, int stages)
    {
        Meter.Reset(jobs);
        var single = Math.Min(jobs, 200);
        await CreateAsync(engine, 0, single, 8);
        await engine.CreateManyAsync(single, jobs - single);
        await engine.StartWorkersAsync();
        await Probe.DrainedAsync(engine, jobs * stages);
        await engine.StopWorkersAsync();
    }

    private static Task CreateAsync(Subject engine, int first, int jobs, int callers) =>
        Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
    {
        for (var job = first + caller; job < first + jobs; job += callers)
        {
            await engine.CreateAsync(job);
        }
    })));
}
