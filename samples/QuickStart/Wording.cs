using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks;

namespace QuickStart;

/// <summary>The texts for tasks, stages and results.</summary>
internal static class Wording
{
    /// <summary>The state of a stage.</summary>
    public static string Stage(TaskRecord task, int stage)
    {
        if (stage < task.Result.Count)
        {
            return WasSkipped(task, stage) ? "skipped" : "done";
        }

        return stage > task.Stage ? "" : task switch
        {
            { State: TaskState.Executing } => "running",
            { State: TaskState.Waiting, Wait: WaitKind.Message } => "waits for your answer",
            { State: TaskState.Waiting } => $"waits {Left(task.WaitDeadline)}",
            { State: TaskState.Failed, RetryAt: { } retryAt } => $"failed, again in {Left(retryAt)}",
            { State: TaskState.Failed } => "failed",
            { State: TaskState.Queued } => "queued",
            _ => "",
        };
    }

    /// <summary>A stage's result or error, shortened.</summary>
    public static string Outcome(TaskRecord task, int stage) =>
        stage < task.Result.Count ? Short(task.Result[stage].GetRawText())
        : stage == task.Stage && task.Error is { } error ? Short(error.Message)
        : "";

    /// <summary>The present stage of a task.</summary>
    public static string Place(TaskRecord task)
    {
        var retries = task.Retries > 0 ? $", retry {task.Retries} of {task.Definition.MaxRetries}" : "";
        return task switch
        {
            { State: TaskState.Idle, NextRun: null } => "starts when the other task has finished",
            { State: TaskState.Finished } => $"all stages{retries}",
            _ => $"stage {task.Stage + 1} of {task.Stages}, {task.Definition.Commands[task.Stage].Method}{retries}",
        };
    }

    /// <summary>A task in one line, for the end.</summary>
    public static string LastLine(TaskRecord task)
    {
        var stages = Enumerable.Range(0, task.Result.Count).Select(stage => Phrase(task, stage));
        string[] rest = task.Error is { } error ? [$"{task.Definition.Commands[task.Stage].Method}: {error.Message}"]
            : task.HasEnded ? []
            : [Place(task)];
        return $"{task.Id,-14} {State(task),-9}  {string.Join(" · ", stages.Concat(rest))}";
    }

    /// <summary>The text for the notification of a finished report.</summary>
    public static string Summary(TaskNotification notification)
    {
        var counted = Read<Counted>(notification.Result[1]);
        var report = notification.Result[5].ValueKind == JsonValueKind.Null ? ", no report" : "";
        return $"{Count(counted.Files, "file")}, {Count(counted.Words, "word")}{report}";
    }

    /// <summary>The state in upper case.</summary>
    public static string State(TaskRecord task) => task.State.ToString().ToUpperInvariant();

    private static string Phrase(TaskRecord task, int stage)
    {
        var (method, result) = (task.Definition.Commands[stage].Method, task.Result[stage]);
        if (WasSkipped(task, stage))
        {
            return $"{(method == "report.write" ? "report" : "huge")}: skipped";
        }

        return method switch
        {
            "words.find" => $"find {Count(Read<Found>(result).Files.Count, "file")}",
            "words.count" =>
                $"count {Count(Read<Counted>(result).Words, "word")}{Retries(Read<Counted>(result).Attempt)}",
            "words.warn" => $"huge: {result.GetString()}",
            "report.write" => Read<Written>(result).File,
            TimerCommand.MethodName => "timer",
            MessageCommand.MethodName =>
                $"{(Read<Answer>(result).Approved ? "approved" : "refused")} by {Read<Answer>(result).By}",
            _ => result.GetRawText(),
        };
    }

    // A skipped stage has the result null, and so has a timer.
    private static bool WasSkipped(TaskRecord task, int stage) =>
        task.Definition.Commands[stage].Condition is not null && task.Result[stage].ValueKind == JsonValueKind.Null;

    private static string Retries(int attempt) => attempt switch
    {
        1 => "",
        2 => " (1 retry)",
        _ => $" ({attempt - 1} retries)",
    };

    private static string Count(long count, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");

    private static string Left(DateTimeOffset? time) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Math.Max(0, (time - TimeProvider.System.GetUtcNow())?.TotalSeconds ?? 0):0.0} s");

    private static string Short(string text) => text.Length > 60 ? $"{text[..59]}…" : text;

    private static T Read<T>(JsonElement json) => json.Deserialize<T>(JsonSerializerOptions.Web)!;
}
