using System.Globalization;

namespace Kaiju.Tasks.Faults;

/// <summary>The command line: scenarios, stores and duration.</summary>
internal static class Command
{
    private const string Usage =
        "Usage: ./faults.sh [--seconds N] [--seed S] [--store sqlite|postgres] [--scenario "
            + "kill|freeze|postmaster|terminate|readonly|outage|restart|held|deploy|cut] [--before REV|schema]";

    public static async Task<int> RunAsync(string[] args)
    {
        var plan = new Plan { Seconds = 40, Seed = (int)(TimeProvider.System.GetTimestamp() & 0xFFFFFF) };
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
            switch (args[i])
            {
                case "--seconds" when isNumber && number > 0:
                    plan = plan with { Seconds = number };
                    break;
                case "--seed" when isNumber:
                    plan = plan with { Seed = number };
                    break;
                case "--store" when value is "sqlite" or "postgres":
                    plan = plan with { Store = value };
                    break;
                case "--scenario" when Scenario.Names.Contains(value):
                    plan = plan with { Scenario = value };
                    break;
                case "--before" when File.Exists(value):
                    plan = plan with { Before = value };
                    break;
                default:
                    await Console.Error.WriteLineAsync(Usage);
                    return 2;
            }
        }

        return await RunAsync(plan) ? 0 : 1;
    }

    private static async Task<bool> RunAsync(Plan plan)
    {
        var runs = (from store in new[] { "sqlite", "postgres" }
                    from scenario in Scenario.Names
                    where (plan.Store ?? store) == store && (plan.Scenario ?? scenario) == scenario
                        && Scenario.IsFor(scenario, store)
                    select (store, scenario)).ToList();
        if (runs.Count == 0)
        {
            await Console.Error.WriteLineAsync($"The scenario {plan.Scenario} needs a server; {plan.Store} has none.");
            return false;
        }

        var reports = new List<RunReport>();
        foreach (var (store, scenario) in runs)
        {
            await using var world = await World.CreateAsync(
                store, scenario, plan, TimeSpan.FromSeconds((double)plan.Seconds / runs.Count));
            reports.Add(await world.RunAsync());
            Console.WriteLine(reports[^1].Line());
        }

        Console.WriteLine();
        Console.WriteLine(RunReport.Table(reports));
        var faults = reports.SelectMany(
            report => report.Faults.Select(fault => $"{report.Store}, {report.Scenario}: {fault}"))
            .ToList();
        faults.ForEach(Console.WriteLine);
        Console.WriteLine(
            faults.Count == 0 ? $"no fault; seed {plan.Seed}" : $"{faults.Count} faults; seed {plan.Seed}");
        return faults.Count == 0;
    }
}

/// <summary>The planned runs.</summary>
internal sealed record Plan
{
    /// <summary>The duration of harm in all runs together.</summary>
    public required int Seconds { get; init; }

    public required int Seed { get; init; }

    public string? Store { get; init; }

    public string? Scenario { get; init; }

    /// <summary>This program as another commit has it, for some of the processes. Default: null, for none.</summary>
    public string? Before { get; init; }
}
