using System.Text.Json;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// Measurements in a process of their own. Their results are its last line of output, a JSON array of figures.
/// </summary>
internal static class Probe
{
    /// <summary>Separates the measurements of one process.</summary>
    public const string Between = "/";

    /// <summary>
    /// Runs measurements on the same store, one after another: of each its probe, its subject, and arguments.
    /// </summary>
    public static async Task RunAsync(string[] words)
    {
        var answers = new List<Dictionary<string, double>>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        while (words is [var probe, var subject, ..])
        {
            var end = Array.IndexOf(words, Between) is >= 0 and var place ? place : words.Length;
            answers.Add(
                await MeasureAsync(probe, subject, new Arguments(words.AsSpan(2, end - 2), known.Add(subject))));
            words = words[Math.Min(end + 1, words.Length)..];
        }

        Console.WriteLine(JsonSerializer.Serialize(answers));
    }

    private static Task<Dictionary<string, double>> MeasureAsync(string work, string subject, Arguments arguments) =>
        work switch
        {
            "throughput" => Throughput.MeasureAsync(subject, arguments),
            "latency" => Latency.MeasureAsync(subject, arguments, isElsewhere: false),
            "latency-other" => Latency.MeasureAsync(subject, arguments, isElsewhere: true),
            "executors" => Executors.MeasureAsync(subject, arguments),
            "payload" => Payload.MeasureAsync(subject, arguments),
            "held" => Held.MeasureAsync(subject, arguments),
            "waiters" => Waiters.MeasureAsync(subject, arguments),
            "idle" => Idle.MeasureAsync(subject, arguments),
            _ => throw new ArgumentException($"There is no probe \"{work}\"."),
        };

    public static Subject Open(string name, Arguments arguments, bool isFirst = true) => Subject.Of(
        name,
        new SubjectSettings(
            arguments.Text("store"),
            arguments.Number("capacity"),
            arguments.Number("stages", 1),
            isFirst && arguments.IsFirst));

    /// <summary>Waits until the given number of handlers has begun and all work is recorded.</summary>
    public static async Task DrainedAsync(Subject engine, int executions)
    {
        await UntilAsync(() => Task.FromResult(Meter.Executing >= executions), TimeSpan.FromMilliseconds(1));
        await UntilAsync(async () => await engine.CountLeftAsync() == 0, TimeSpan.FromMilliseconds(2));
    }

    public static async Task UntilAsync(Func<Task<bool>> isTrue, TimeSpan pause)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await isTrue())
        {
            if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromMinutes(5))
            {
                throw new TimeoutException($"Not done after five minutes; {Meter.Executing} handlers have begun.");
            }

            await PauseAsync(pause);
        }
    }

    public static Task PauseAsync(TimeSpan pause) => Task.Delay(pause, TimeProvider.System);
}
