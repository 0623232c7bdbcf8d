using System.Globalization;
using Kaiju.Tasks;

namespace Periodic;

/// <summary>A task as it stands, and its runs that have ended, the latest first.</summary>
internal sealed record TaskView(TaskRecord Task, IReadOnlyList<TaskRun> Runs)
{
    /// <summary>Retries of all its runs, the one that is under way included.</summary>
    public int Retries => Runs.Sum(run => run.Retries) + (Task.HasEnded ? 0 : Task.Retries);
}

/// <summary>How tasks and runs read.</summary>
internal static class Wording
{
    /// <summary>The state as it is stored.</summary>
    public static string State(TaskRecord task) => task.State.ToString().ToUpperInvariant();

    /// <summary>When a task is on again.</summary>
    public static string Next(TaskRecord task) => task switch
    {
        { State: TaskState.Failed, RetryAt: { } retryAt } => $"retry {Left(retryAt)}",
        { State: TaskState.Idle, NextRun: { } nextRun } => $"in {Left(nextRun)}",
        { State: TaskState.Queued or TaskState.Executing } => "now",
        _ => "on demand",
    };

    /// <summary>What became of a run.</summary>
    public static string Outcome(TaskRun run) => run switch
    {
        { State: TaskState.Finished } => $"finished: {run.Result[^1]}",
        { Error.Kind: TaskErrorKind.Cancelled } => "cancelled",
        _ => $"failed: {run.Error?.Message}",
    };

    /// <summary>What became of a task's last run, or of the last attempt at the present one.</summary>
    public static string LastOutcome(TaskView view) => view.Task switch
    {
        { State: TaskState.Failed, RetryAt: not null, Error: { } error } => $"failed: {error.Message}",
        _ => view.Runs is [var run, ..]
            ? (run.State == TaskState.Finished ? run.Result[^1].ToString()
            : Outcome(run)) : "",
    };

    /// <summary>A task's runs in one line, in the order in which they were.</summary>
    public static string LastLine(TaskView view)
    {
        var runs = string.Concat(view.Runs.Reverse().Select(run => $"  {At(run)}{Remark(run)}"));
        var skipped = view.Task.Skipped > 0 ? $", {view.Task.Skipped} skipped" : "";
        return $"{view.Task.Id,-10} {State(view.Task),-9} {view.Runs.Count,2} "
            + $"{(view.Runs.Count == 1 ? "run" : "runs")}{skipped}{(runs.Length > 0 ? ":" : "")}{runs}";
    }

    // What finished at once needs none.
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
