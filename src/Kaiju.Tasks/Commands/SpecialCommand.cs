using System.Text.Json;

namespace Kaiju.Tasks;

/// <summary>
/// A command that the engine itself carries out instead of a handler: it can park the task. Filled and skipped like any
/// other command. Derive from it and give it to <see cref="KaijuTasksBuilder.AddSpecialCommand"/> for one of your own;
/// it needs to be known to the client as well, which checks its params when a task is created.
/// </summary>
public abstract class SpecialCommand
{
    /// <summary>The method that names it, such as <c>_TIMER_</c>.</summary>
    public abstract string Method { get; }

    /// <summary>
    /// The longest <c>max_timeout</c> that a command of this kind may have. Default
    /// <see cref="TaskLimits.MaxExecTimeout"/>.
    /// </summary>
    /// <param name="limits">The host's limits.</param>
    public virtual TimeSpan LongestTimeout(TaskLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return limits.MaxExecTimeout;
    }

    /// <summary>
    /// What is wrong with a command when a task is created. Its params may still be templates, so only what is certain.
    /// </summary>
    /// <param name="command">The command; its params are JSON.</param>
    /// <param name="limits">The host's limits.</param>
    /// <returns>
    /// Sentences that begin with the member's name, such as <c>params.timer is -1; it must be …</c>; none if all is
    /// well.
    /// </returns>
    public virtual IEnumerable<string> Check(TaskCommand command, TaskLimits limits) => [];

    /// <summary>Carries the command out.</summary>
    /// <param name="context">The stage, and the filled params.</param>
    /// <param name="cancellationToken">
    /// Cancelled at the run's deadline, when the claim is lost, and when the host stops.
    /// </param>
    public abstract ValueTask<StageOutcome> RunAsync(
        SpecialCommandContext context, CancellationToken cancellationToken);
}

/// <summary>What a special command gets.</summary>
public sealed class SpecialCommandContext
{
    /// <summary>The stage.</summary>
    public required StageContext Stage { get; init; }

    /// <summary>The params with all templates filled; undefined if there are none.</summary>
    public required JsonElement Params { get; init; }

    /// <summary>The command's <c>max_timeout</c>; its meaning is the special command's own.</summary>
    public TimeSpan? MaxTimeout { get; init; }

    /// <summary>The host's limits.</summary>
    public required TaskLimits Limits { get; init; }
}
