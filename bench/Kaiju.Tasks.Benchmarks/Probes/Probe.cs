using System.Text.Json;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>One measurement in a process of its own: what it finds is the last line that it writes, one JSON array of figures.</summary>
internal static class Probe
{
    /// <summary>Runs one work or several, joined by commas, on the same store; each answers with figures of its own.</summary>
    public static async Task RunAsync(string works, string subject, string[] words)
    {
        var answers = new List<Dictionary<string, double>>();
        var each = works.Split(',');
        foreach (var (work, arguments) in each.Zip(Arguments.Each(words, each.Length)))
        {
            answers.Add(await MeasureAsync(work, subject, arguments));
        }

        Console.WriteLine(JsonSerializer.Serialize(answers));
    }

    private static Task<Dictionary<string, double>> MeasureAsync(string work, string subject, Arguments arguments) => work switch
    {
        "throughput" => Throughput.MeasureAsync(subject, arguments),
        "latency" => Latency.MeasureAsync(subject, arguments, isElsewhere: false),
        "latency-other" => Latency.MeasureAsync(subject, arguments, isElsewhere: true),
        "executors" => Executors.MeasureAsync(subject, arguments),
        "payload" => Payload.MeasureAsync(subject, arguments),
        "idle" => Idle.MeasureAsync(subject, arguments),
        _ => throw new ArgumentException($"There is no probe \"{work}\"."),
    };

    public static Subject Open(string name, Arguments arguments, bool isFirst = true) => Subject.Of(
        name, new SubjectSettings(arguments.Text("store"), arguments.Number("capacity"), arguments.Number("stages", 1), isFirst && arguments.IsFirst));

    /// <summary>Waits until so many handlers have begun, and what is done is recorded.</summary>
    public static async Task DrainedAsync(Subject engine, int executions)
    {
        await UntilAsync(() => Task.FromResult(Meter.Executed >= executions), TimeSpan.FromMilliseconds(1));
        await UntilAsync(async () => await engine.CountLeftAsync() == 0, TimeSpan.FromMilliseconds(2));
    }

    public static async Task UntilAsync(Func<Task<bool>> isTrue, TimeSpan pause)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await isTrue())
        {
            if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromMinutes(5))
            {
                throw new TimeoutException($"Not done after five minutes; {Meter.Executed} handlers have begun.");
            }

            await PauseAsync(pause);
        }
    }

    public static Task PauseAsync(TimeSpan pause) => Task.Delay(pause, TimeProvider.System);
}
