using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks;

/// <summary>
/// The outcome of a stage. A special command returns one; a handler may return one, or a
/// <see cref="StageOutcome{T}"/>, instead of its result.
/// </summary>
public abstract class StageOutcome
{
    private StageOutcome()
    {
    }

    internal abstract ReportKind Kind { get; }

    /// <summary>The kind of the outcome, such as <c>Completed</c>, without its result.</summary>
    public sealed override string ToString() => Kind.ToString();

    /// <summary>The stage completed with the result null.</summary>
    public static StageOutcome Completed() => new Done(JsonText.Null, isOwned: true);

    /// <summary>The stage completed.</summary>
    /// <param name="result">The result; undefined is stored as null.</param>
    public static StageOutcome Completed(JsonElement result) => new Done(OrNull(result));

    /// <summary>
    /// The stage completed with a result of a type; for an interface, which does not convert implicitly.
    /// </summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="result">The result.</param>
    public static StageOutcome<T> Completed<T>(T result) => new(result);

    /// <summary>The stage failed. The run is retried while it has retries left, unless the failure is final.</summary>
    /// <param name="error">The reason.</param>
    /// <param name="exitCode">The run's exit code. Default <see cref="TaskExitCode.ExecutionError"/>.</param>
    /// <param name="isFinal">True: the run is not retried, whatever retries are left. Default false.</param>
    /// <param name="retryAfter">
    /// The time before the retry: 0 to <see cref="TaskLimits.MaxWait"/>, to which an executor shortens a longer time.
    /// It does not add a retry. Default: null, for the declared delay.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The time before the retry is negative, or longer than any host allows (36,600 days).
    /// </exception>
    public static StageOutcome Failed(
        TaskError error,
        TaskExitCode exitCode = TaskExitCode.ExecutionError,
        bool isFinal = false,
        TimeSpan? retryAfter = null) =>
        new Failure(error, exitCode, isFinal, retryAfter);

    /// <summary>The task waits for a time, without holding a worker. Then the stage's result is null.</summary>
    /// <param name="duration">The duration of the wait, from the time at which the store records it.</param>
    public static StageOutcome WaitFor(TimeSpan duration) => new Wait(WaitKind.Timer, duration);

    /// <summary>
    /// The task waits for a message, without holding a worker. The message becomes the stage's result.
    /// </summary>
    /// <param name="timeout">
    /// The longest wait, from the time at which the store records it; then the run fails and is not retried. Default:
    /// null, for no limit.
    /// </param>
    public static StageOutcome WaitForMessage(TimeSpan? timeout = null) => new Wait(WaitKind.Message, timeout);

    /// <summary>
    /// The task waits for a time, without holding a worker; then the same stage begins again. It is neither a failure
    /// nor an attempt. <see cref="TaskRecord.Snoozes"/> counts it.
    /// </summary>
    /// <param name="delay">
    /// The duration of the wait, from the time at which the store records it: more than 0, at most
    /// <see cref="TaskLimits.MaxWait"/>.
    /// </param>
    public static StageOutcome Snooze(TimeSpan delay) => new Wait(WaitKind.Snooze, delay);

    /// <summary>
    /// This executor does not know the stage's command, and another one may: the task returns to its place in the queue
    /// and waits there for one.
    /// </summary>
    /// <param name="method">The filled method of the stage.</param>
    public static StageOutcome PutBack(string method) => new Unknown(method);

    private static JsonElement OrNull(JsonElement result)
    {
        try
        {
            return JsonText.OrNull(result);
        }
        catch (ObjectDisposedException)
        {
            // The engine checks the result and names this fault.
            return result;
        }
    }

    /// <summary>The stage completed.</summary>
    public sealed class Done : StageOutcome
    {
        internal Done(JsonElement result, bool isOwned = false) => (Result, IsOwned) = (result, isOwned);

        /// <summary>The stage's result.</summary>
        public JsonElement Result { get; }

        /// <summary>True if the result does not depend on a document that could be disposed of.</summary>
        internal bool IsOwned { get; }

        internal override ReportKind Kind => ReportKind.Completed;
    }

    /// <summary>The stage failed.</summary>
    public sealed class Failure : StageOutcome
    {
        internal Failure(TaskError error, TaskExitCode exitCode, bool isFinal, TimeSpan? retryAfter)
        {
            ArgumentNullException.ThrowIfNull(error);
            StageFailedException.ThrowIfNoDelay(retryAfter, nameof(retryAfter));
            (Error, ExitCode, IsFinal, RetryAfter) = (error, exitCode, isFinal, retryAfter);
        }

        /// <summary>The reason.</summary>
        public TaskError Error { get; }

        /// <summary>The run's exit code.</summary>
        public TaskExitCode ExitCode { get; }

        /// <summary>True: the run is not retried, whatever retries are left.</summary>
        public bool IsFinal { get; }

        /// <summary>The time before the retry, if one is left; null for the declared delay.</summary>
        public TimeSpan? RetryAfter { get; }

        internal override ReportKind Kind => ReportKind.Failed;

        /// <summary>Returns the failure with another time before the retry.</summary>
        internal Failure WithRetryAfter(TimeSpan? retryAfter) => new(Error, ExitCode, IsFinal, retryAfter);
    }

    /// <summary>The task waits.</summary>
    public sealed class Wait : StageOutcome
    {
        internal Wait(WaitKind @for, TimeSpan? duration) => (For, Duration) = (@for, duration);

        /// <summary>The kind of wait: for a time or for a message, and what follows.</summary>
        public WaitKind For { get; }

        /// <summary>The duration of the wait, or the longest wait for a message; null for no limit.</summary>
        public TimeSpan? Duration { get; }

        internal override ReportKind Kind => ReportKind.Waiting;
    }

    /// <summary>
    /// The executor does not know the command. The task returns to the queue, without an attempt or an interruption.
    /// </summary>
    public sealed class Unknown : StageOutcome
    {
        internal Unknown(string method)
        {
            ArgumentException.ThrowIfNullOrEmpty(method);
            Method = method;
        }

        /// <summary>The filled method of the stage.</summary>
        public string Method { get; }

        internal override ReportKind Kind => ReportKind.PutBack;
    }
}
