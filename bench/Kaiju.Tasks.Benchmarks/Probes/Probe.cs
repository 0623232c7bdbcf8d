using System.Text.Json;
using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>One measurement in a process of its own: what it finds is the last line that it writes, one JSON object of figures.</summary>
internal static class Probe
{
    public static async Task RunAsync(string work, string engine, Arguments arguments)
    {
        Task<Dictionary<string, double>> Measure() => work switch
        {
            "throughput" => Throughput.MeasureAsync(engine, arguments),
            "latency" => Latency.MeasureAsync(engine, arguments),
            "executors" => Executors.MeasureAsync(engine, arguments),
            "payload" => Payload.MeasureAsync(engine, arguments),
            "idle" => Idle.MeasureAsync(engine, arguments),
            _ => throw new ArgumentException($"There is no probe \"{work}\"."),
        };
        Console.WriteLine(JsonSerializer.Serialize(await Measure()));
    }

    public static Subject Open(string name, Arguments arguments, bool isFirst = true) => Subject.Of(
        name, new SubjectSettings(arguments.Text("store"), arguments.Number("capacity"), arguments.Number("stages", 1), isFirst));

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
