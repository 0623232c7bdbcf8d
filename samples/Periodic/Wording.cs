using System.Globalization;
using Kaiju.Tasks;

namespace Periodic;

/// <summary>A task as it is now, and its runs that have ended, the latest first.</summary>
internal sealed record TaskView(TaskRecord Task, IReadOnlyList<TaskRun> Runs)
{
    /// <summary>The retries of all its runs, including the current one.</summary>
    public int Retries => Runs.Sum(run => run.Retries) + (Task.HasEnded ? 0 : Task.Retries);
}

/// <summary>The texts for tasks and runs.</summary>
internal static class Wording
{
    /// <summary>The state in upper case.</summary>
    public static string State(TaskRecord task) => task.State.ToString().ToUpperInvariant();

    /// <summary>When a task runs next.</summary>
    public static string Next(TaskRecord task) => task switch
    {
        { State: TaskState.Failed, RetryAt: { } retryAt } => $"retry {Left(retryAt)}",
        { State: TaskState.Idle, NextRun: { } nextRun } => $"in {Left(nextRun)}",
        { State: TaskState.Queued or TaskState.Executing } => "now",
        _ => "on demand",
    };

    /// <summary>The outcome of a run.</summary>
    public static string Outcome(TaskRun run) => run switch
    {
        { State: TaskState.Finished } => $"finished: {run.GetResult<string>()}",
        { Error.Kind: TaskErrorKind.Cancelled } => "cancelled",
        _ => $"failed: {run.Error?.Message}",
    };

    /// <summary>The outcome of a task's last run, or of the last attempt of the current one.</summary>
    public static string LastOutcome(TaskView view) => view.Task switch
    {
        { State: TaskState.Failed, RetryAt: not null, Error: { } error } => $"failed: {error.Message}",
        _ => view.Runs is not [var run, ..] ? ""
            : run.State == TaskState.Finished ? run.GetResult<string>() ?? ""
            : Outcome(run),
    };

    /// <summary>A task's runs in one line, the oldest first.</summary>
    public static string LastLine(TaskView view)
    {
        var runs = string.Concat(view.Runs.Reverse().Select(run => $"  {At(run)}{Remark(run)}"));
        var skipped = view.Task.Skipped > 0 ? $", {view.Task.Skipped} skipped" : "";
        return $"{view.Task.Id,-10} {State(view.Task),-9} {view.Runs.Count,2} "
            + $"{(view.Runs.Count == 1 ? "run" : "runs")}{skipped}{(runs.Length > 0 ? ":" : "")}{runs}";
    }

    // A run that finished at its first attempt has no remark.
    private static string Remark(TaskRun run) => run switch
    {
        { Error.Kind: TaskErrorKind.Cancelled } => " (cancelled)",
        { State: TaskState.Failed } => " (failed)",
        { Retries: 1 } => " (1 retry)",
        { Retries: > 1 } => $" ({run.Retries} retries)",
        _ => "",
    };

    // A periodic run stands for an occurrence, which is when it was due. A run on demand has none.
    private static string At(TaskRun run) =>
        (run.Occurrence ?? run.QueuedAt ?? run.Ended).ToLocalTime().ToString("':'ss", CultureInfo.InvariantCulture);

    private static string Left(DateTimeOffset time) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Math.Max(0, (time - TimeProvider.System.GetUtcNow()).TotalSeconds):0.0} s");
}
