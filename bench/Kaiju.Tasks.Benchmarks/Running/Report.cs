using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Kaiju.Tasks.Benchmarks.Probes;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>Results for humans and for programs.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions _readable = new() { WriteIndented = true };

    public static string Show(double value) => Math.Abs(value) switch
    {
        >= 1000 => value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    /// <summary>The ratios whose measurements exist.</summary>
    public static IEnumerable<(Ratio Ratio, double Value)> Ratios(Results results) => Plan.Ratios
        .Where(ratio => ratio.Needs.All(results.Values.ContainsKey))
        .Select(ratio => (ratio, ratio.Of(results)));

    /// <summary>A line for each ratio that misses its aim.</summary>
    public static IEnumerable<string> Misses(Results results) => Ratios(results)
        .Where(item => !item.Ratio.IsReached(item.Value))
        .Select(item =>
            $"{item.Ratio.Name}: {Show(item.Value)}, aim {(item.Ratio.IsMost ? "≤" : "≥")} {Show(item.Ratio.Aim)}");

    public static string Line(Results results) =>
        JsonSerializer.Serialize(
            Ratios(results).ToDictionary(item => item.Ratio.Name, item => Math.Round(item.Value, 3)));

    public static async Task WriteAsync(
        string folder, Results results, IReadOnlyList<Sitting> plan, int repetitions, string server)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "RESULTS.md"), Page(results, plan, repetitions, server));
        var json = new
        {
            date = Date(),
            machine = MachineOf(),
            postgresql = server,
            repetitions,
            ratios = Ratios(results).ToDictionary(item => item.Ratio.Name, item => item.Value),
            values = results.Values,
        };
        await File.WriteAllTextAsync(
            Path.Combine(folder, "results.json"), JsonSerializer.Serialize(json, _readable) + "\n");
    }

    private static string Page(Results results, IReadOnlyList<Sitting> plan, int repetitions, string server)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            # Results
            Written by `./bench.sh` on {Date()}. {MachineOf()}.
            PostgreSQL {server} with shared_buffers=512MB and otherwise its defaults, so with full durability;
            server and clients share the machine. Medians of {repetitions} repetitions, least and most in brackets;
            everything once, then everything again. Each measurement is a process of its own on an empty database or
            file, but for both kinds of latency, which share one. Jobs do nothing but say that they have begun.

            ## Ratios of this run
            | what | value |
            | --- | --- |

            """);
        foreach (var (ratio, value) in Ratios(results))
        {
            page.Append(CultureInfo.InvariantCulture, $"| {ratio.Name} | {Show(value)} |\n");
        }

        foreach (var subject in plan.SelectMany(sitting => sitting.Measurements).GroupBy(
            measurement => measurement.Subject))
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"\n## {subject.Key}\n{Subject.Of(subject.Key, new SubjectSettings("Host=none")).Description}.\n");
            foreach (var measurement in subject.Where(measurement => results.Values.ContainsKey(measurement.Name)))
            {
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"\n`{measurement.Name}`: {measurement.Probe} {measurement.Arguments}\n\n| figure | median "
                        + $"(least–most) |\n| --- | --- |\n");
                foreach (var (figure, values) in results.Values[measurement.Name])
                {
                    page.Append(
                        CultureInfo.InvariantCulture,
                        $"| {figure} | {Show(results.Median(measurement.Name, figure))} "
                            + $"({Show(values.Min())}–{Show(values.Max())}) |\n");
                }
            }
        }

        return page.ToString();
    }

    private static string Date() =>
        TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string MachineOf() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Environment.ProcessorCount} cores ({Machine.Processor()}), {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.FrameworkDescription}");
}
