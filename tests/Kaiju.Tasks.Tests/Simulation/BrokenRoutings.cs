using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The functions of <see cref="TaskRouting"/> with one rule removed each.</summary>
internal static class BrokenRoutings
{
    private static readonly RoutingFunctions _unchanged = RoutingFunctions.Unchanged;

    public static IReadOnlyList<(string Name, RoutingFunctions Functions)> All { get; } =
    [
        ("a step that queues decides the hold", _unchanged with { Decide = (_, _, state) => state }),

        ("a task may be held", _unchanged with { Compute = (_, _, _) => TaskRouting.Empty }),

        ("a pause comes before an unknown command", _unchanged with
        {
            Compute = (known, pauses, now) =>
            {
                var commands = known.ToList();
                var unpaused = new TaskRouting(commands, [], now).Holds;
                return new TaskRouting(
                    commands,
                    pauses.Where(pause => !unpaused.Any(
                        hold => hold.Value == TaskHold.UnknownCommand && hold.Key.Method == pause.Method)),
                    now);
            },
        }),

        ("a paused app is left out of claims", _unchanged with
        {
            Compute = (known, pauses, now) =>
                new TaskRouting(known, pauses.Where(pause => pause.Method is not null), now),
        }),

        ("a pause ends at its time", _unchanged with
        {
            Compute = (known, pauses, _) => new TaskRouting(known, pauses, DateTimeOffset.MinValue),
        }),

        ("a command that one executor lacks is held", _unchanged with
        {
            Compute = (known, pauses, now) =>
            {
                var commands = known.ToList();
                return new TaskRouting(
                    commands.Select(command => (
                        command.AppName,
                        command.Method,
                        commands.Single(other => other.AppName == command.AppName && other.Method.Length == 0)
                            .Executors)),
                    pauses,
                    now);
            },
        }),
    ];
}
