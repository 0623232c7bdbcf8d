using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Commands;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// The handlers of one process. They are randomly quick or slow, heed or ignore cancellation, and fail.
/// </summary>
internal sealed class SimulatedCommands(World world, ExecutorProcess process)
{
    public const string Work = "work";
    public const string Bounded = "bounded";

    /// <summary>The command that only version 1 knows.</summary>
    public const string Removed = "removed";

    /// <summary>The command that only version 2 knows.</summary>
    public const string Added = "added";

    /// <summary>The commands of which an executor knows one.</summary>
    public const string Even = "even";

    /// <inheritdoc cref="Even"/>
    public const string Odd = "odd";

    /// <summary>The maximum number of finished runs of a task that names itself as its next one.</summary>
    public const int MostRuns = 3;

    private Agenda Agenda => world.Agenda;

    public CommandRegistrations Register()
    {
        var commands = new CommandRegistrations();
        foreach (var method in process.Program.Commands)
        {
            commands.Add(new CommandRegistration(method, "simulation", _ => (_, context, parameters, token) =>
                method == Bounded && world.Checker.RunsOf(context.TaskId) > MostRuns
                    ? throw new InvalidOperationException("It has run often enough.")
                    : RunAsync(context, parameters, token)));
        }

        return commands;
    }

    private async ValueTask<StageOutcome> RunAsync(
        StageContext context, JsonElement parameters, CancellationToken token)
    {
        var number = world.Checker.Executions.Begin(process, context, parameters);
        try
        {
            await WorkAsync(token);
        }
        finally
        {
            world.Checker.Executions.Leave(number);
        }

        if (Agenda.Chance(world.FailureRate))
        {
            world.Story.Tell(process.Name, $"execution {number} fails");
            throw Agenda.Random.Next(8) switch
            {
                0 => new StageFailedException("It will never work.") { IsFinal = true },
                1 or 2 => new StageFailedException("It works later.") { RetryAfter = Agenda.Between(0, 15) },
                _ => new InvalidOperationException("It does not work this time."),
            };
        }

        if (Agenda.Chance(0.04))
        {
            return StageOutcome.Snooze(Agenda.Between(0.5, 40));
        }

        var coin = Agenda.Chance(0.5);
        world.Checker.Executions.End(number, coin);
        return StageOutcome.Completed(JsonElement.Parse(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"n":{{number}},"coin":{{(coin ? "true" : "false")}},"wait":{{1 + Agenda.Random.Next(30)}}}""")));
    }

    private async Task WorkAsync(CancellationToken token)
    {
        switch (Agenda.Random.Next(20))
        {
            case < 8:
                break;
            case < 12:
                await process.PauseAsync(TimeSpan.Zero, CancellationToken.None);
                break;
            case < 17:
                await process.PauseAsync(Agenda.Between(0.05, 6), token);
                break;
            case 17 or 18:
                await process.PauseAsync(Agenda.Between(5, 40), token);
                break;
            default:
                // The handler ignores its token.
                await process.PauseAsync(Agenda.Between(1, 40), CancellationToken.None);
                break;
        }
    }
}
