using Kaiju.Tasks.Benchmarks.Subjects;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>
/// Tasks whose stages each return the given number of random characters: WAL for each stage, and stages a second.
/// </summary>
internal static class Payload
{
    public static async Task<Dictionary<string, double>> MeasureAsync(string name, Arguments arguments)
    {
        var figures = new Dictionary<string, double>();
        var (stages, characters, tasks) = (
            arguments.Number("stages", 1), arguments.Number("characters"), arguments.Number("tasks", 1));
        await using var engine = (KaijuEngine)Probe.Open(name, arguments);
        await engine.OpenAsync();
        await engine.StartWorkersAsync();
        foreach (var (work, size) in ((string, int)[])[("warm", 1), ("payload", characters)])
        {
            Meter.Reset(1);
            var usage = await Usage.BeginAsync(arguments);
            for (var task = 0; task < tasks; task++)
            {
                await engine.CreatePayloadAsync(size);
            }

            await Probe.DrainedAsync(engine, stages * tasks);
            await usage.NoteAsync(figures, work, stages * tasks, usage.Seconds);
        }

        await engine.StopWorkersAsync();
        return figures;
    }
}
