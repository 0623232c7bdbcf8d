using System.Globalization;
using System.Text.Json;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The tasks of one simulation, of every kind.</summary>
internal sealed class Workload(Agenda agenda)
{
    private static readonly string[] _schedules = ["* * * * *", "*/2 * * * *", "*/3 * * * *", "*/30 * * * * *"];
    private static readonly JsonElement _first = JsonElement.Parse("""{"first": "[0.n]"}""");

    public IReadOnlyList<TaskDefinition> Draw()
    {
        var count = 12 + agenda.Random.Next(18);
        return [.. Enumerable.Range(0, count).Select(number => Define(number, count))];
    }

    private static string IdOf(int number) => string.Create(CultureInfo.InvariantCulture, $"t{number:00}");

    private TaskDefinition Define(int number, int count)
    {
        var isBounded = agenda.Chance(0.1);
        var isPeriodic = !isBounded && agenda.Chance(0.2);
        return new TaskDefinition
        {
            Id = IdOf(number),
            Commands = Commands(isBounded ? SimulatedCommands.Bounded : First()),
            Cron = isPeriodic ? _schedules[agenda.Random.Next(_schedules.Length)] : null,
            RunAt = isPeriodic ? null : FirstRun(),
            Enabled = !agenda.Chance(0.05),
            Priority = agenda.Random.Next(3),
            Notify = agenda.Chance(0.6),
            MaxRetries = isBounded ? 0 : agenda.Random.Next(4),
            RetryDelay = agenda.Chance(0.5) ? agenda.Between(0, 10) : null,
            RestartPolicy = agenda.Chance(0.5) ? RestartPolicy.First : RestartPolicy.Current,
            MaxExecTimeout = agenda.Between(10, 90),
            NextTask = isBounded ? IdOf(number) : NextOf(number, count),
        };
    }

    private string First() => agenda.Random.Next(20) switch
    {
        0 => ProgramVersion.Own,
        1 => ProgramVersion.Next,
        2 => SimulatedCommands.Added,
        3 => SimulatedCommands.Odd,
        _ => SimulatedCommands.Work,
    };

    private DateTimeOffset? FirstRun() => agenda.Random.Next(10) switch
    {
        < 2 => TaskDefinition.OnDemand,
        < 4 => agenda.Now + agenda.Between(1, 300),
        _ => null,
    };

    // Only forward: a cycle of tasks would run for ever.
    private string? NextOf(int number, int count) =>
        agenda.Chance(0.35) && number + 1 < count ? IdOf(agenda.Random.Next(number + 1, count)) : null;

    private List<TaskCommand> Commands(string first)
    {
        var isBounded = first == SimulatedCommands.Bounded;
        var commands = new List<TaskCommand>
        {
            new(first)
            {
                MaxTimeout = StageTimeout(),
                MaxRetries = isBounded ? null : StageRetries(),
                RetryDelay = StageDelay(),
            },
        };
        var more = agenda.Random.Next(5);
        for (var i = 0; i < more; i++)
        {
            commands.Add(agenda.Random.Next(16) switch
            {
                0 => new TimerCommand(agenda.Between(0.5, 40)),
                1 => new TimerCommand("[0.wait]"),
                2 => new MessageCommand(),
                3 => new MessageCommand { MaxTimeout = agenda.Between(5, 90) },
                4 or 5 => new TaskCommand(SimulatedCommands.Work, _first)
                {
                    Condition = TaskCondition.Where("0.coin").EqualTo(true),
                },
                6 => new TaskCommand(ProgramVersion.Own, _first) { MaxRetries = StageRetries() },
                7 => new TaskCommand(ProgramVersion.Next, _first),
                8 => new TaskCommand(SimulatedCommands.Added, _first),
                9 => new TaskCommand(agenda.Chance(0.5) ? SimulatedCommands.Even : SimulatedCommands.Odd, _first),
                10 when agenda.Chance(0.5) => new TaskCommand(SimulatedCommands.Removed, _first),
                10 when agenda.Chance(0.5) => new TaskCommand(ProgramVersion.Other, _first),
                _ => new TaskCommand(SimulatedCommands.Work, _first)
                {
                    MaxTimeout = StageTimeout(),
                    MaxRetries = StageRetries(),
                    RetryDelay = StageDelay(),
                },
            });
        }

        return commands;
    }

    private int? StageRetries() => agenda.Chance(0.3) ? agenda.Random.Next(3) : null;

    private TimeSpan? StageDelay() => agenda.Chance(0.3) ? agenda.Between(0, 10) : null;

    private TimeSpan? StageTimeout() => agenda.Chance(0.2) ? agenda.Between(2, 30) : null;
}
