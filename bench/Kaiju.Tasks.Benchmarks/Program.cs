using System.Text.Json;
using Kaiju.Tasks.Benchmarks.Probes;
using Kaiju.Tasks.Benchmarks.Running;

switch (args)
{
    case ["probe", var work, var subject, ..]:
        await Probe.RunAsync(work, subject, new Arguments(args.AsSpan(3)));
        return 0;
    case ["produce", var subject, ..]:
        await Latency.ProduceAsync(subject, new Arguments(args.AsSpan(2)));
        return 0;
    case ["work", var subject, ..]:
        await Executors.WorkAsync(subject, new Arguments(args.AsSpan(2)));
        return 0;
    case ["one", var work, var subject, ..]:
        await using (var stores = await Stores.OpenAsync())
        {
            for (var i = 0; i < 3; i++)
            {
                var figures = await Runner.MeasureAsync(new Measurement("one", subject, work, string.Join(' ', args[3..])), stores);
                Console.WriteLine(string.Join(", ", figures.Select(figure => $"{figure.Key} {Report.Show(figure.Value)}")));
            }
        }

        return 0;
    default:
        Console.Error.WriteLine("./bench.sh [--quick]");
        return 2;
}
