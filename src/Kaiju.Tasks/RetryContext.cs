namespace Kaiju.Tasks;

/// <summary>
/// A failure that will be retried, for <see cref="KaijuTasksOptions.ChooseRetryDelay"/>. Tests construct it.
/// </summary>
public sealed class RetryContext
{
    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>The method of the stage that failed, with its template filled.</summary>
    public required string Method { get; init; }

    /// <summary>The stage that failed, from 0.</summary>
    public int Stage { get; init; }

    /// <summary>The attempt at the run that failed, from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>The attempt at the stage in its pass that failed, from 1.</summary>
    public int StageAttempt { get; init; } = 1;

    /// <summary>The error, as it will be stored.</summary>
    public required TaskError Error { get; init; }

    /// <summary>
    /// The exception of the handler or the template; null for a failure without one, such as a timeout.
    /// </summary>
    public Exception? Exception { get; init; }
}
