using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks;

/// <summary>
/// What became of a stage. Ordinary handlers return results and throw; special commands return one of these.
/// </summary>
public abstract class StageOutcome
{
    private StageOutcome()
    {
    }

    internal abstract ReportKind Kind { get; }

    /// <summary>The kind of the outcome, such as <c>Completed</c>; never its result.</summary>
    public sealed override string ToString() => Kind.ToString();

    /// <summary>The stage is done.</summary>
    /// <param name="result">Its result; undefined counts as null.</param>
    public static StageOutcome Completed(JsonElement result = default) =>
        new Done(result.ValueKind == JsonValueKind.Undefined ? JsonText.Null : result);

    /// <summary>The stage failed; the task is tried again while it has retries.</summary>
    /// <param name="error">Why.</param>
    /// <param name="exitCode">How the run ends. Default <see cref="TaskExitCode.ExecutionError"/>.</param>
    public static StageOutcome Failed(TaskError error, TaskExitCode exitCode = TaskExitCode.ExecutionError) =>
        new Failure(error, exitCode);

    /// <summary>The task waits, without holding a worker; then the stage counts as done with the result null.</summary>
    /// <param name="duration">How long, from now by the store's clock.</param>
    public static StageOutcome WaitFor(TimeSpan duration) => new Wait(WaitKind.Timer, duration);

    /// <summary>
    /// The task waits for a message, without holding a worker; the message becomes the stage's result.
    /// </summary>
    /// <param name="timeout">
    /// How long at most, from now by the store's clock; then the run fails for good. Null: as long as it takes.
    /// </param>
    public static StageOutcome WaitForMessage(TimeSpan? timeout = null) => new Wait(WaitKind.Message, timeout);

    /// <summary>The stage is done.</summary>
    public sealed class Done : StageOutcome
    {
        internal Done(JsonElement result) => Result = result;

        /// <summary>Its result.</summary>
        public JsonElement Result { get; }

        internal override ReportKind Kind => ReportKind.Completed;
    }

    /// <summary>The stage failed.</summary>
    public sealed class Failure : StageOutcome
    {
        internal Failure(TaskError error, TaskExitCode exitCode)
        {
            ArgumentNullException.ThrowIfNull(error);
            (Error, ExitCode) = (error, exitCode);
        }

        /// <summary>Why.</summary>
        public TaskError Error { get; }

        /// <summary>How the run ends.</summary>
        public TaskExitCode ExitCode { get; }

        internal override ReportKind Kind => ReportKind.Failed;
    }

    /// <summary>The task waits.</summary>
    public sealed class Wait : StageOutcome
    {
        internal Wait(WaitKind @for, TimeSpan? duration) => (For, Duration) = (@for, duration);

        /// <summary>For what.</summary>
        public WaitKind For { get; }

        /// <summary>How long, or how long at most; null for as long as it takes.</summary>
        public TimeSpan? Duration { get; }

        internal override ReportKind Kind => ReportKind.Waiting;
    }
}
