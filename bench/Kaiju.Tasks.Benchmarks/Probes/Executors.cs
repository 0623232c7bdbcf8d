using System.Diagnostics;
using System.Globalization;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// The same jobs, executed by one, two and four equal processes: the rate, and the jobs of the process with the fewest.
/// </summary>
internal static class Executors
{
    private const int Most = 4;
    private const int Bulk = 1000;
    private const int WarmUp = 500;

    public static async Task<Dictionary<string, double>> MeasureAsync(string name, Arguments arguments)
    {
        var figures = new Dictionary<string, double>();
        var jobs = arguments.Number("bulk");
        await using var engine = Probe.Open(name, arguments);
        await engine.OpenAsync();
        var workers = Enumerable.Range(0, Most)
            .Select(
                _ => Children.Start(
                    ["work", name, "--store", arguments.Text("store"), "--capacity", arguments.Text("capacity", "0")],
                    arguments.Number("hasty") == 1)).ToList();

        // All processes run together first, so that each has compiled its code.
        await DrainAsync(engine, workers, WarmUp * Most);
        foreach (var count in (int[])[1, 2, 4])
        {
            var (seconds, shares) = await DrainAsync(engine, workers[..count], jobs);
            figures[string.Create(CultureInfo.InvariantCulture, $"drain{count}_per_s")] = jobs / seconds;
            figures[string.Create(CultureInfo.InvariantCulture, $"least_share{count}")] = shares
                .Min() / ((double)jobs / count);
        }

        foreach (var worker in workers)
        {
            worker.StandardInput.Close();
            await worker.WaitForExitAsync();
            worker.Dispose();
        }

        return figures;
    }

    /// <summary>
    /// One of the processes. A line of input starts a round, each further line is answered with the number of jobs, and
    /// an empty line ends the round.
    /// </summary>
    public static async Task WorkAsync(string name, Arguments arguments)
    {
        await using var engine = Probe.Open(name, arguments, isFirst: false);
        await engine.OpenAsync();
        while (await Console.In.ReadLineAsync() is not null)
        {
            Meter.Reset(0);
            await engine.StartWorkersAsync();
            while (await Console.In.ReadLineAsync() is { Length: > 0 })
            {
                Console.WriteLine(Meter.Executing);
            }

            await engine.StopWorkersAsync();
            Console.WriteLine(Meter.Executing);
        }
    }

    private static async Task<(double Seconds, List<int> Shares)> DrainAsync(
        Subject engine, List<Process> workers, int jobs)
    {
        for (var first = 0; first < jobs; first += Bulk)
        {
            await engine.CreateManyAsync(first, Bulk);
        }

        var began = TimeProvider.System.GetTimestamp();
        workers.ForEach(worker => worker.StandardInput.WriteLine());

        // The processes report progress, and the database is read only at the end: polling a queue while it is drained
        // costs as much as claims.
        await Probe.UntilAsync(
            async () => (await AskAsync(workers, "executed?")).Sum() >= jobs, TimeSpan.FromMilliseconds(10));
        await Probe.UntilAsync(async () => await engine.CountLeftAsync() == 0, TimeSpan.FromMilliseconds(2));
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        return (seconds, await AskAsync(workers, ""));
    }

    private static async Task<List<int>> AskAsync(List<Process> workers, string question)
    {
        var answers = new List<int>();
        foreach (var worker in workers)
        {
            await worker.StandardInput.WriteLineAsync(question);
            answers.Add(int.Parse((await worker.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture));
        }

        return answers;
    }
}
