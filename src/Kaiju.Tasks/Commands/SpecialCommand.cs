using System.Text.Json;

namespace Kaiju.Tasks;

/// <summary>
/// A command that the engine runs itself, without a handler; it can park the task. Templates and conditions work as for
/// any other command. To add one, derive from this class and register it with
/// <see cref="KaijuTasksBuilder.AddSpecialCommand"/>. Register it in client hosts too: the client checks its params
/// when a task is created.
/// </summary>
public abstract class SpecialCommand
{
    /// <summary>The command's name, 1 to 200 characters, such as <c>_TIMER_</c>.</summary>
    public abstract string Method { get; }

    /// <summary>
    /// Returns the longest <c>max_timeout</c> of a command of this kind. Default
    /// <see cref="TaskLimits.MaxExecTimeout"/>.
    /// </summary>
    /// <param name="limits">The host's limits.</param>
    public virtual TimeSpan LongestTimeout(TaskLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return limits.MaxExecTimeout;
    }

    /// <summary>
    /// Checks a command when a task is created. Its params may still be templates, so only certain faults are returned.
    /// </summary>
    /// <param name="command">The command, whose params are JSON.</param>
    /// <param name="limits">The host's limits.</param>
    /// <returns>
    /// Sentences that begin with the member's name, such as <c>params.timer is -1; it must be …</c>; empty if the
    /// command is valid.
    /// </returns>
    public virtual IEnumerable<string> Check(TaskCommand command, TaskLimits limits) => [];

    /// <summary>Runs the command.</summary>
    /// <param name="context">The stage, and the params with their templates filled.</param>
    /// <param name="cancellationToken">
    /// Cancelled at the run's deadline, when the claim is lost, and when the host stops.
    /// </param>
    public abstract ValueTask<StageOutcome> RunAsync(
        SpecialCommandContext context, CancellationToken cancellationToken);
}

/// <summary>The input of a special command.</summary>
public sealed class SpecialCommandContext
{
    /// <summary>The context of the stage.</summary>
    public required StageContext Stage { get; init; }

    /// <summary>The params with their templates filled; undefined without params.</summary>
    public required JsonElement Params { get; init; }

    /// <summary>
    /// The command's <c>max_timeout</c>, whose meaning the special command defines; null without one.
    /// </summary>
    public TimeSpan? MaxTimeout { get; init; }

    /// <summary>The host's limits.</summary>
    public required TaskLimits Limits { get; init; }
}
