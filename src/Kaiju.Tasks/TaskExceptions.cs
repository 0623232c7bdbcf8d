namespace Kaiju.Tasks;

/// <summary>
/// The base of the exceptions of this library that a caller may want to catch. Not among them are misuses
/// (<see cref="ArgumentException"/>), cancellation, a <see cref="TimeoutException"/> of a wait, and errors of the
/// database.
/// </summary>
public abstract class KaijuTasksException : Exception
{
    private protected KaijuTasksException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>
/// A definition, a message or JSON is invalid, and nothing of it was stored. <see cref="Exception.Message"/> names
/// everything that is wrong.
/// </summary>
public sealed class TaskValidationException : KaijuTasksException
{
    /// <summary>Refuses a task.</summary>
    /// <param name="taskId">The task's id, or null if it has none yet.</param>
    /// <param name="faults">What is wrong: which member, its value, what is allowed. At least one.</param>
    /// <param name="inner">
    /// What the caller's own code threw, such as a getter of a params object; null for nothing.
    /// </param>
    public TaskValidationException(string? taskId, IReadOnlyList<string> faults, Exception? inner = null)
        : base(Describe(taskId, faults), inner)
    {
        TaskId = taskId;
        Faults = faults;
    }

    /// <summary>The id of the task that was refused, or null.</summary>
    public string? TaskId { get; }

    /// <summary>Everything that is wrong, one sentence each.</summary>
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

/// <summary>No task has this id.</summary>
/// <param name="taskId">The id that was asked for.</param>
public sealed class TaskNotFoundException(string taskId)
    : KaijuTasksException($"Task \"{taskId}\" does not exist. It was never created, or it was deleted.")
{
    /// <summary>The id that was asked for.</summary>
    public string TaskId { get; } = taskId;
}

/// <summary>
/// A task with this id exists, and the way of creation (<see cref="OnConflict"/>) does not allow for it.
/// </summary>
/// <param name="taskId">The id.</param>
/// <param name="state">The stored task's state.</param>
/// <param name="onConflict">The way of creation.</param>
public sealed class TaskExistsException(string taskId, TaskState state, OnConflict onConflict)
    : KaijuTasksException(onConflict == OnConflict.Replace
        ? $"The task \"{taskId}\" is {state} and cannot be replaced now. Cancel it or wait for its end first."
        : $"The task \"{taskId}\" exists already ({state}). Use another id, OnConflict.Skip or OnConflict.Replace.")
{
    /// <summary>The id.</summary>
    public string TaskId { get; } = taskId;

    /// <summary>The stored task's state.</summary>
    public TaskState State { get; } = state;
}

/// <summary>The run has failed; thrown by <see cref="TaskRun.EnsureSucceeded"/>.</summary>
/// <param name="run">The run.</param>
public sealed class TaskRunFailedException(TaskRun run)
    : KaijuTasksException(
        $"Task \"{run.TaskId}\" failed (run {run.JobId}, exit code {(int?)run.ExitCode}): {run.Error}")
{
    /// <summary>The run, with its error and the results of the stages before it.</summary>
    public TaskRun Run { get; } = run;
}

/// <summary>
/// The run that was waited for will not end: its task was reset or deleted, or too many runs came after it.
/// </summary>
/// <param name="taskId">The task.</param>
/// <param name="jobId">The run that was waited for.</param>
/// <param name="why">What happened to it.</param>
public sealed class TaskRunLostException(string taskId, string jobId, string why)
    : KaijuTasksException($"The run {jobId} of the task \"{taskId}\" has no outcome: {why}")
{
    /// <summary>The task.</summary>
    public string TaskId { get; } = taskId;

    /// <summary>The run that was waited for.</summary>
    public string JobId { get; } = jobId;
}

/// <summary>
/// The store did not answer a question of <see cref="ITaskClient"/> within
/// <see cref="KaijuTasksOptions.ClientTimeout"/>.
/// </summary>
public sealed class TaskStoreTimeoutException : KaijuTasksException
{
    /// <summary>Reports a question without an answer.</summary>
    /// <param name="operation">The client's member and what it was about, such as <c>GetAsync of task "t"</c>.</param>
    /// <param name="timeout">The bound.</param>
    /// <param name="mayHaveHappened">
    /// True: the question was a write, and the store may have completed it or may still do so.
    /// </param>
    public TaskStoreTimeoutException(string operation, TimeSpan timeout, bool mayHaveHappened)
        : base($"{operation}: the store did not answer within {timeout}. " + (mayHaveHappened
            ? "The step may have happened, or may still happen; read the task to find out."
            : "Nothing was changed; it is safe to repeat."))
    {
        Operation = operation;
        MayHaveHappened = mayHaveHappened;
    }

    /// <summary>The client's member and what it was about.</summary>
    public string Operation { get; }

    /// <summary>
    /// True: the step may have happened or may still happen. False: it was a read, which changes nothing.
    /// </summary>
    public bool MayHaveHappened { get; }
}

/// <summary>
/// The host stopped while a member of <see cref="ITaskClient"/> was waiting, or before it was called.
/// </summary>
public sealed class TaskHostStoppedException : KaijuTasksException
{
    /// <summary>Reports a call that the end of its host has ended.</summary>
    /// <param name="operation">The client's member and what it was about, such as <c>WaitAsync of task "t"</c>.</param>
    /// <param name="mayHaveHappened">True: a write was under way, and the store may have completed it.</param>
    public TaskHostStoppedException(string operation, bool mayHaveHappened)
        : base($"{operation}: the host has stopped or was disposed of. " + (mayHaveHappened
            ? "The step may have happened; read the task to find out."
            : "Nothing was changed; the task continues without this host."))
    {
        Operation = operation;
        MayHaveHappened = mayHaveHappened;
    }

    /// <summary>The client's member and what it was about.</summary>
    public string Operation { get; }

    /// <summary>True: the step may have happened. False: nothing was changed.</summary>
    public bool MayHaveHappened { get; }
}

/// <summary>
/// The store's answer to a write was lost, and what the store shows now does not tell whether the write happened.
/// </summary>
public sealed class TaskOutcomeUnknownException : KaijuTasksException
{
    /// <summary>Reports a write of which it is not known whether it happened.</summary>
    /// <param name="reason">What was lost, or why it cannot be told; one sentence.</param>
    /// <param name="inner">The fault that took the answer.</param>
    public TaskOutcomeUnknownException(string reason, Exception? inner = null)
        : base($"The step may have happened. {reason} Read the task to find out before the call is repeated.", inner)
    {
    }
}

/// <summary>
/// The tables of a store are not of the version that the package needs, or may not be read or created.
/// </summary>
/// <param name="message">What is there, what is needed, and what to do.</param>
/// <param name="inner">The database's error, if there was one.</param>
public sealed class TaskSchemaException(string message, Exception? inner = null)
    : KaijuTasksException(message, inner);
