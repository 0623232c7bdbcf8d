using System.Globalization;
using Kaiju.Tasks.Benchmarks.Probes;

namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>
/// Compares this revision with another one: alternating pairs of runs, and for each figure the ratio of each pair. A
/// machine that slows down affects both, and one disturbed run moves a median little.
/// </summary>
internal static class Against
{
    private const int UsualPairs = 15;

    /// <summary>With fewer values no two of them enclose the median with 95 %.</summary>
    private const int LeastForInterval = 6;

    private static readonly IReadOnlyList<Sitting> _usual =
    [
        new("pg", "kaiju-postgresql", "throughput", "--create8 3000 --bulk 16000 --warm 4000"),
        new("pg-4", "kaiju-postgresql", "throughput", "--stages 4 --bulk 5000 --warm 1000"),
        new("pg-latency", "kaiju-postgresql", "latency", "--jobs 50"),
        new("pg-statements", "kaiju-postgresql", "waiters", "--tasks 100"),
        new("sqlite", "kaiju-sqlite", "throughput", "--create8 2000 --bulk 10000 --warm 2000"),
        new("memory", "kaiju-memory", "throughput", "--bulk 50000 --warm 20000"),
    ];

    /// <summary>Measures and prints.</summary>
    /// <param name="program">The other revision's benchmark program, built.</param>
    /// <param name="words">
    /// <c>--pairs N</c>, then a probe, a subject and its arguments; by default the usual ones.
    /// </param>
    public static async Task RunAsync(string program, string[] words)
    {
        var pairs = UsualPairs;
        if (words is ["--pairs", var count, ..])
        {
            (pairs, words) = (int.Parse(count, CultureInfo.InvariantCulture), words[2..]);
        }

        var plan = words is [var probe, var subject, ..]
            ? [new Sitting("one", subject, probe, string.Join(' ', words[2..]))]
            : _usual;
        await using var stores = await Stores.OpenAsync();
        var (mine, others) = (new Results(), new Results());
        for (var pair = 0; pair < pairs; pair++)
        {
            foreach (var sitting in plan)
            {
                foreach (var isMine in pair % 2 == 0 ? [true, false] : new[] { false, true })
                {
                    var figures = await Runner.MeasureAsync(sitting, stores, isMine ? null : program);
                    (isMine ? mine : others).Add(sitting.Measurements[0].Name, figures[0]);
                }
            }

            Console.Error.WriteLine($"pair {pair + 1} of {pairs}");
        }

        Print(mine, others);
    }

    /// <summary>
    /// The ranks, from 1, of the sorted values between which the median lies with at least 95 %, whatever the
    /// distribution; the outermost ones if there are too few values for that.
    /// </summary>
    public static (int Least, int Most) RanksOfInterval(int count)
    {
        const double Outside = 0.025;
        var (below, chance, rank) = (0.0, Math.Pow(0.5, count), 0);
        while (below + chance <= Outside)
        {
            below += chance;
            rank++;
            chance *= (count - rank + 1) / (double)rank;
        }

        rank = Math.Max(rank, 1);
        return (rank, count + 1 - rank);
    }

    private static void Print(Results mine, Results others)
    {
        var pairs = mine.Values.Values.First().Values.First().Count;
        var interval = pairs < LeastForInterval ? "least to most" : "95 % interval";
        Console.WriteLine(
            $"| median of {pairs} | now | against | ratio | {interval} |\n| --- | --- | --- | --- | --- |");
        foreach (var (name, figures) in mine.Values)
        {
            foreach (var (figure, values) in figures.Where(each => others.Has(name, each.Key)))
            {
                var ratios = values.Zip(others.Values[name][figure], (now, before) => now / before)
                    .Where(double.IsFinite).Order().ToList();
                if (ratios.Count > 0)
                {
                    var (least, most) = RanksOfInterval(ratios.Count);
                    var middle = (ratios[(ratios.Count - 1) / 2] + ratios[ratios.Count / 2]) / 2;
                    Console.WriteLine(
                        $"| {name} {figure} | {Report.Show(mine.Median(name, figure))} | "
                        + $"{Report.Show(others.Median(name, figure))} "
                        + $"| {Ratio(middle)} | {Ratio(ratios[least - 1])} to {Ratio(ratios[most - 1])} |");
                }
            }
        }
    }

    private static string Ratio(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
