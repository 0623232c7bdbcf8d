using System.Globalization;
using Kaiju.Tasks.Tests.Simulation;

const string Usage = "Usage: ./simulate.sh --seeds <how many> [--from <first seed>] [--without <rule>] [--story]";

var seeds = 1000;
var from = 0;
var without = "";
var tells = false;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--seeds" when i + 1 < args.Length
            && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out seeds):
        case "--from" when i + 1 < args.Length
            && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out from):
            i++;
            break;
        case "--without" when i + 1 < args.Length:
            without = args[++i];
            break;
        case "--story":
            tells = true;
            break;
        default:
            Console.Error.WriteLine(Usage);
            return 2;
    }
}

var (_, rules, routing) = BrokenRules.All.FirstOrDefault(rule => rule.Name == without);
if (without.Length > 0 && rules is null)
{
    Console.Error.WriteLine(
        $"The rule \"{without}\" is unknown. The rules are: "
            + $"{string.Join(", ", BrokenRules.All.Select(rule => rule.Name))}.");
    return 2;
}

var clock = TimeProvider.System;
var (began, told) = (clock.GetTimestamp(), clock.GetTimestamp());
for (var done = 0; done < seeds; done++)
{
    var outcome = rules is null ? SimulatedLife.Run(from + done) : SimulatedLife.Run(from + done, rules, routing);
    if (tells || outcome.Fault is not null)
    {
        Console.Write(outcome.Story);
    }

    if (outcome.Fault is not null)
    {
        Console.WriteLine(outcome.Fault);
        Console.WriteLine($"seed {outcome.Seed} fails; alone: ./simulate.sh --seeds 1 --from {outcome.Seed}");
        return 1;
    }

    if (clock.GetElapsedTime(told) > TimeSpan.FromSeconds(10))
    {
        told = clock.GetTimestamp();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{done + 1} seeds, {(done + 1) / clock.GetElapsedTime(began).TotalSeconds:0} a second"));
    }
}

Console.WriteLine($"{seeds} seeds, no fault");
return 0;
