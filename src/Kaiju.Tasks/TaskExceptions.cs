namespace Kaiju.Tasks;

/// <summary>
/// The base class of this library's exceptions. Handlers throw one of them: <see cref="StageFailedException"/>. Other
/// exceptions report invalid arguments (<see cref="ArgumentException"/>), cancellation, the timeout of a wait
/// (<see cref="TimeoutException"/>), and errors of the database.
/// </summary>
public abstract class KaijuTasksException : Exception
{
    private protected KaijuTasksException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>
/// A definition, a message or a JSON text is invalid. Nothing of it was stored. <see cref="Exception.Message"/> names
/// all faults.
/// </summary>
public sealed class TaskValidationException : KaijuTasksException
{
    /// <summary>Makes the exception for an invalid task.</summary>
    /// <param name="taskId">The task's id; null if it has none yet.</param>
    /// <param name="faults">The faults, at least one: the member, its value and the allowed values.</param>
    /// <param name="inner">
    /// The exception that the caller's code threw, such as a getter of a params object. Default: null, for none.
    /// </param>
    public TaskValidationException(string? taskId, IReadOnlyList<string> faults, Exception? inner = null)
        : base(Describe(taskId, faults), inner)
    {
        TaskId = taskId;
        Faults = faults;
    }

    /// <summary>The id of the invalid task; null if it has none yet.</summary>
    public string? TaskId { get; }

    /// <summary>All faults, one sentence each.</summary>
    public IReadOnlyList<string> Faults { get; }

    private static string Describe(string? taskId, IReadOnlyList<string> faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        var what = string.IsNullOrEmpty(taskId) ? "The task" : $"Task \"{taskId}\"";
        return faults.Count == 1
            ? $"{what} is invalid: {faults[0]}"
            : $"{what} is invalid ({faults.Count} errors):{Environment.NewLine}- "
                + $"{string.Join(Environment.NewLine + "- ", faults)}";
    }
}

/// <summary>The task does not exist: it was never created, or it was deleted.</summary>
/// <param name="taskId">The id that no task has.</param>
public sealed class TaskNotFoundException(string taskId)
    : KaijuTasksException($"Task \"{taskId}\" does not exist. It was never created, or it was deleted.")
{
    /// <summary>The id that no task has.</summary>
    public string TaskId { get; } = taskId;
}

/// <summary>
/// A task was not created, because its id exists: <see cref="OnConflict.Fail"/> forbids that, and
/// <see cref="OnConflict.Replace"/> forbids it while the stored task is queued, executed, suspended or waiting.
/// </summary>
/// <param name="taskId">The id that exists.</param>
/// <param name="state">The state of the stored task.</param>
/// <param name="onConflict">The option with which the task was to be created.</param>
public sealed class TaskExistsException(string taskId, TaskState state, OnConflict onConflict)
    : KaijuTasksException(onConflict == OnConflict.Replace
        ? $"The task \"{taskId}\" is {state} and cannot be replaced now. Cancel it or wait for its end first."
        : $"The task \"{taskId}\" exists already ({state}). Use another id, OnConflict.Skip or OnConflict.Replace.")
{
    /// <summary>The id that exists.</summary>
    public string TaskId { get; } = taskId;

    /// <summary>The state of the stored task.</summary>
    public TaskState State { get; } = state;
}

/// <summary>A run has failed; thrown by <see cref="TaskRun.EnsureSucceeded"/>.</summary>
/// <param name="run">The run that failed.</param>
public sealed class TaskRunFailedException(TaskRun run)
    : KaijuTasksException(
        $"Task \"{run.TaskId}\" failed (run {run.JobId}, exit code {(int?)run.ExitCode}): {run.Error}")
{
    /// <summary>The run that failed, with its error and the results before it.</summary>
    public TaskRun Run { get; } = run;
}

/// <summary>
/// The awaited run will not have an outcome: its task was reset, replaced or deleted, or the run is older than the runs
/// that the store keeps.
/// </summary>
/// <param name="taskId">The task's id.</param>
/// <param name="jobId">The id of the awaited run.</param>
/// <param name="why">The reason, as a sentence.</param>
public sealed class TaskRunLostException(string taskId, string jobId, string why)
    : KaijuTasksException($"The run {jobId} of the task \"{taskId}\" has no outcome: {why}")
{
    /// <summary>The task's id.</summary>
    public string TaskId { get; } = taskId;

    /// <summary>The id of the awaited run.</summary>
    public string JobId { get; } = jobId;
}

/// <summary>
/// The store did not answer a call of <see cref="ITaskClient"/> within <see cref="KaijuTasksOptions.ClientTimeout"/>.
/// </summary>
public sealed class TaskStoreTimeoutException : KaijuTasksException
{
    /// <summary>Makes the exception for a call that the store did not answer.</summary>
    /// <param name="operation">The client's member and its subject, such as <c>GetAsync of task "t"</c>.</param>
    /// <param name="timeout">The timeout that passed.</param>
    /// <param name="mayHaveHappened">
    /// True if the call was a write: the store may have completed it, or may still complete it.
    /// </param>
    public TaskStoreTimeoutException(string operation, TimeSpan timeout, bool mayHaveHappened)
        : base($"{operation}: the store did not answer within {timeout}. " + (mayHaveHappened
            ? "The step may have happened, or may still happen; read the task to find out."
            : "Nothing was changed; it is safe to repeat."))
    {
        Operation = operation;
        MayHaveHappened = mayHaveHappened;
    }

    /// <summary>The client's member and its subject, such as <c>GetAsync of task "t"</c>.</summary>
    public string Operation { get; }

    /// <summary>
    /// True if the call was a write: it may have happened, or may still happen. False if it was a read.
    /// </summary>
    public bool MayHaveHappened { get; }
}

/// <summary>
/// The host stopped while a member of <see cref="ITaskClient"/> was waiting, or before it was called.
/// </summary>
public sealed class TaskHostStoppedException : KaijuTasksException
{
    /// <summary>Makes the exception for a call that the stop of its host has ended.</summary>
    /// <param name="operation">The client's member and its subject, such as <c>WaitAsync of task "t"</c>.</param>
    /// <param name="mayHaveHappened">True if the call was a write that the store may have completed.</param>
    public TaskHostStoppedException(string operation, bool mayHaveHappened)
        : base($"{operation}: the host has stopped or was disposed of. " + (mayHaveHappened
            ? "The step may have happened; read the task to find out."
            : "Nothing was changed; the task continues without this host."))
    {
        Operation = operation;
        MayHaveHappened = mayHaveHappened;
    }

    /// <summary>The client's member and its subject, such as <c>GetAsync of task "t"</c>.</summary>
    public string Operation { get; }

    /// <summary>True if the call was a write that may have happened. False if nothing was changed.</summary>
    public bool MayHaveHappened { get; }
}

/// <summary>
/// The store's answer to a write was lost, and reading the store did not show whether the write happened.
/// </summary>
public sealed class TaskOutcomeUnknownException : KaijuTasksException
{
    /// <summary>Makes the exception for a write with an unknown outcome.</summary>
    /// <param name="reason">The reason for which the outcome is unknown, one sentence.</param>
    /// <param name="inner">The fault with which the answer was lost. Default: null, for none.</param>
    public TaskOutcomeUnknownException(string reason, Exception? inner = null)
        : base($"The step may have happened. {reason} Read the task to find out before the call is repeated.", inner)
    {
    }
}

/// <summary>
/// The tables of a store have another version than the package needs, or cannot be read or created.
/// </summary>
/// <param name="message">The message: the version that was found, the version that is needed, and the remedy.</param>
/// <param name="inner">The database's error. Default: null, for none.</param>
public sealed class TaskSchemaException(string message, Exception? inner = null)
    : KaijuTasksException(message, inner);
