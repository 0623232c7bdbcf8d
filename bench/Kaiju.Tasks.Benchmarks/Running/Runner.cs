using System.Text.Json;
using Kaiju.Tasks.Benchmarks.Probes;

namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>
/// Runs measurements one after another. Each runs once before any is repeated, so that changes of the machine affect
/// all.
/// </summary>
internal static class Runner
{
    public static async Task<Results> RunAsync(IReadOnlyList<Sitting> plan, int repetitions, Stores stores)
    {
        var results = new Results();
        for (var repetition = 1; repetition <= repetitions; repetition++)
        {
            foreach (var sitting in plan.Where(each => each.Repetitions == 0 || repetition <= each.Repetitions))
            {
                var began = TimeProvider.System.GetTimestamp();
                var answers = await MeasureAsync(sitting, stores);
                foreach (var (measurement, figures) in sitting.Measurements.Zip(answers))
                {
                    results.Add(measurement.Name, figures);
                    Console.Error.WriteLine(
                        $"{repetition} {measurement.Name}: "
                            + string.Join(", ", figures.Select(figure => $"{figure.Key} {Report.Show(figure.Value)}")));
                }

                Console.Error.WriteLine($"in {Report.Show(TimeProvider.System.GetElapsedTime(began).TotalSeconds)} s");
            }
        }

        return results;
    }

    /// <summary>Runs one sitting.</summary>
    /// <param name="sitting">The measurements.</param>
    /// <param name="stores">The stores of the measurements.</param>
    /// <param name="program">The benchmark program of another revision; null for this one.</param>
    public static async Task<List<Dictionary<string, double>>> MeasureAsync(
        Sitting sitting, Stores stores, string? program = null)
    {
        var places = new Dictionary<string, string[]>(StringComparer.Ordinal);
        try
        {
            var words = new List<string>();
            foreach (var each in sitting.Measurements)
            {
                var kind = Stores.KindOf(each.Subject);
                if (!places.TryGetValue(kind, out var place))
                {
                    places.Add(kind, place = await stores.NewAsync(kind));
                }

                words.AddRange(
                    [Probe.Between, each.Probe, each.Subject, .. each.Arguments.Split(
                        ' ', StringSplitOptions.RemoveEmptyEntries), .. place]);
            }

            using var child = Children.Start(["probe", .. words.Skip(1)], program: program);
            child.StandardInput.Close();
            var output = (await child.StandardOutput.ReadToEndAsync()).Split(
                '\n', StringSplitOptions.RemoveEmptyEntries);
            await child.WaitForExitAsync();
            return child.ExitCode == 0
                ? JsonSerializer.Deserialize<List<Dictionary<string, double>>>(output[^1])!
                : throw new InvalidOperationException(
                    $"The measurement of {string.Join(", ", sitting.Measurements.Select(each => each.Name))} failed.");
        }
        finally
        {
            places.Values.ToList().ForEach(stores.Leave);
        }
    }
}
