using System.Text.Json;
using Kaiju.Tasks.Benchmarks.Probes;

namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>Runs measurements one after the other: every one once, then every one again, so that what changes on the machine changes for all.</summary>
internal static class Runner
{
    public static async Task<Results> RunAsync(IReadOnlyList<Measurement> plan, int repetitions, Stores stores)
    {
        var results = new Results();
        for (var repetition = 1; repetition <= repetitions; repetition++)
        {
            foreach (var measurement in plan.Where(each => each.Repetitions == 0 || repetition <= each.Repetitions))
            {
                var began = TimeProvider.System.GetTimestamp();
                var answers = await MeasureAsync(measurement, stores);
                var seconds = Report.Show(TimeProvider.System.GetElapsedTime(began).TotalSeconds);
                foreach (var (name, figures) in measurement.Name.Split(',').Zip(answers))
                {
                    results.Add(name, figures);
                    Console.Error.WriteLine($"{repetition} {name} in {seconds} s: {string.Join(", ", figures.Select(figure => $"{figure.Key} {Report.Show(figure.Value)}"))}");
                }
            }
        }

        return results;
    }

    public static async Task<List<Dictionary<string, double>>> MeasureAsync(Measurement measurement, Stores stores)
    {
        var place = await stores.NewAsync(measurement.Subject, measurement.Probe.Contains("idle", StringComparison.Ordinal));
        try
        {
            var words = measurement.Arguments.Split(Arguments.Between)
                .SelectMany(each => each.Split(' ', StringSplitOptions.RemoveEmptyEntries).Concat(place).Prepend(Arguments.Between)).Skip(1);
            using var child = Children.Start(["probe", measurement.Probe, measurement.Subject, .. words]);
            child.StandardInput.Close();
            var output = (await child.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            await child.WaitForExitAsync();
            return child.ExitCode == 0
                ? JsonSerializer.Deserialize<List<Dictionary<string, double>>>(output[^1])!
                : throw new InvalidOperationException($"The measurement {measurement.Name} failed.");
        }
        finally
        {
            await stores.DropAsync(place);
        }
    }
}
