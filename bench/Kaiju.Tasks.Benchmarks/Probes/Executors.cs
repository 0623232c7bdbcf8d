using System.Diagnostics;
using System.Globalization;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>The same jobs executed by so many processes: how many a second, and how many the idlest of them had.</summary>
internal static class Executors
{
    private const string Ready = "ready";
    private const int WarmUp = 2000;

    public static async Task<Dictionary<string, double>> MeasureAsync(string name, Arguments arguments)
    {
        var (count, jobs) = (arguments.Number("processes", 1), arguments.Number("bulk"));
        await using var engine = Probe.Open(name, arguments);
        await engine.OpenAsync();
        await CreateAsync(engine, WarmUp * count);
        var workers = Enumerable.Range(0, count)
            .Select(_ => Children.Start(["work", name, "--store", arguments.Text("store"), "--capacity", arguments.Text("capacity", "0")])).ToList();
        foreach (var worker in workers)
        {
            await worker.StandardOutput.ReadLineAsync();
        }

        await CreateAsync(engine, jobs);

        var began = TimeProvider.System.GetTimestamp();
        workers.ForEach(worker => worker.StandardInput.WriteLine());
        await Probe.UntilAsync(async () => await engine.CountLeftAsync() == 0, TimeSpan.FromMilliseconds(5));
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var shares = new List<int>();
        foreach (var worker in workers)
        {
            worker.StandardInput.Close();
            shares.Add(int.Parse((await worker.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture));
            await worker.WaitForExitAsync();
            worker.Dispose();
        }

        return new Dictionary<string, double> { ["drain_per_s"] = jobs / seconds, ["least_share"] = shares.Min() / ((double)jobs / count) };
    }

    private static async Task CreateAsync(Subject engine, int jobs)
    {
        for (var first = 0; first < jobs; first += 1000)
        {
            await engine.CreateManyAsync(first, 1000);
        }
    }

    /// <summary>One of the processes: warms itself up with the others, waits for the word, and executes until its input ends.</summary>
    public static async Task WorkAsync(string name, Arguments arguments)
    {
        await using var engine = Probe.Open(name, arguments, isFirst: false);
        await engine.OpenAsync();
        Meter.Reset(0);
        await engine.StartWorkersAsync();
        await Probe.DrainedAsync(engine, 1);
        await engine.StopWorkersAsync();
        Console.WriteLine(Ready);
        await Console.In.ReadLineAsync();
        Meter.Reset(0);
        await engine.StartWorkersAsync();
        await Console.In.ReadToEndAsync();
        Console.WriteLine(Meter.Executed);
        await engine.StopWorkersAsync();
    }
}
