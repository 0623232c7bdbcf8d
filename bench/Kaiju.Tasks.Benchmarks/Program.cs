using BenchmarkDotNet.Running;
using Kaiju.Tasks.Benchmarks.Probes;
using Kaiju.Tasks.Benchmarks.Running;

const int Repetitions = 3;
switch (args)
{
    case ["probe", ..]:
        await Probe.RunAsync(args[1..]);
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
            await Runner.RunAsync(
                [new Sitting("one", subject, work, string.Join(' ', args[3..]))], Repetitions, stores);
        }

        return 0;
    case ["against", var program, ..]:
        await Against.RunAsync(program, args[2..]);
        return 0;
    case ["micro", ..]:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(["--filter", args.Length > 1 ? args[1] : "*"]);
        return 0;
    case ["--quick"]:
        await using (var stores = await Stores.OpenAsync())
        {
            Console.WriteLine(Report.Line(await Runner.RunAsync(Plan.Quick, 1, stores)));
        }

        return 0;
    case []:
        await using (var stores = await Stores.OpenAsync())
        {
            var results = await Runner.RunAsync(Plan.Full, Repetitions, stores);
            await Report.WriteAsync("bench", results, Plan.Full, Repetitions, await stores.ServerVersionAsync());
            Console.WriteLine(Report.Line(results));
            Console.Error.WriteLine(string.Join('\n', Report.Misses(results)));
        }

        return 0;
    default:
        Console.Error.WriteLine(
            "./bench.sh [--quick | micro [FILTER] | one PROBE SUBJECT [--NAME VALUE]… | --against REV [--pairs N] "
                + "[PROBE SUBJECT [--NAME VALUE]…]]");
        return 2;
}
