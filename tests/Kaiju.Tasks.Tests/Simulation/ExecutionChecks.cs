using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The guarantees about claims, reports and the handlers' executions.</summary>
internal sealed class ExecutionChecks(Checker checker)
{
    private readonly Dictionary<Guid, ObservedClaim> _claims = [];
    private readonly HashSet<ReportId> _recorded = [];
    private readonly List<Execution> _executions = [];
    private readonly Dictionary<(string TaskId, string JobId, int Pass, int Stage, int Attempt), int> _counts = [];

    /// <summary>The number of executions.</summary>
    public int Count => _executions.Count;

    /// <summary>Executions of a stage beyond its first in that attempt.</summary>
    public int Extra { get; private set; }

    /// <summary>The holder does not receive these claims; it must release them before it claims again.</summary>
    public void AnswerLost(IReadOnlyList<ExecutorTask> claimed)
    {
        foreach (var task in claimed)
        {
            _claims[task.Claim].IsUnheard = true;
        }
    }

    /// <summary>
    /// Whether no process holds the claim, as required of a claim that its own executor releases as stray.
    /// </summary>
    public bool IsStray(Guid claim) => _claims[claim].Begun.Count == 0;

    /// <summary>Whether no handler runs under the claim.</summary>
    public bool IsBetweenStages(Guid claim) =>
        _executions.TrueForAll(execution => execution.Claim != claim || execution.IsOver);

    /// <summary>Records a claim that the store has answered.</summary>
    public void Claimed(ExecutorTask task)
    {
        Expect(
            _claims.TryAdd(task.Claim, new ObservedClaim(task)),
            "I3",
            () => $"the claim {task.Claim} is handed out twice");
        var seen = checker.Tasks[task.Id];
        Expect(
            seen.State.Claim == task.Claim && seen.State.ExecutorId == task.ExecutorId && task.Stage == seen.State.Stage
                && task.JobId == seen.State.JobId && task.Pass == seen.State.Pass,
            "I3",
            () => $"{task.Id} is handed out as stage {task.Stage} of {task.JobId} under {task.Claim} and is "
                + $"{seen.State}");
        Expect(
            task.TimeLeft == seen.Definition.MaxExecTimeout,
            "I5",
            () => $"{task.Id} is handed out with {task.TimeLeft} left of {seen.Definition.MaxExecTimeout}");
        Expect(
            !checker.Tasks.Values.Any(
                other => !other.IsDeleted && other.State.ExecutorId == task.ExecutorId
                    && _claims.TryGetValue(other.State.Claim!.Value, out var claim) && claim.IsUnheard),
            "I5",
            () => $"{checker.Speaker} claims again and still holds a claim that it never received");
        Expect(
            task.Result.Count == task.Stage,
            "I2",
            () => $"{task.Id} is handed out at stage {task.Stage} with {task.Result.Count} results");
    }

    /// <summary>True if the report comes from the claim's holder and is about the next stage.</summary>
    public bool IsDue(StageReport report) =>
        checker.Tasks.TryGetValue(report.TaskId, out var task) && !task.IsDeleted && task.State.Claim == report.Claim
            && task.State.Stage == report.Stage
        && _claims[report.Claim].Task.JobId == report.JobId;

    /// <summary>I3: a due or repeated report is answered Recorded, any other Superseded.</summary>
    public void Answered(StageReport report, bool wasDue, ReportAnswer answer)
    {
        var again = _recorded.Contains(report.Id);
        var expected = wasDue || again ? ReportAnswer.Recorded : ReportAnswer.Superseded;
        checker.Story.Tell(
            checker.Speaker,
            $"reports {report.Outcome.Kind} of {report.TaskId} stage {report.Stage} under "
                + $"{Story.Short(report.Claim)}: {answer}");

        // Only the last report of a task is certainly known, if it was of a failure or a wait; its sender has ended by
        // then.
        Expect(
            answer == expected
                || (again
                && report.Outcome.Kind != ReportKind.Completed)
                || (again
                && checker.Tasks[report.TaskId].IsDeleted)
                || (again
                && answer == ReportAnswer.Superseded
                && IsOfAnEarlierRun(report)),
            "I3",
            () => $"{report.TaskId}: a report of stage {report.Stage} under {report.Claim} is {answer} and should be "
                + $"{expected}");
        if (answer == ReportAnswer.Recorded)
        {
            _recorded.Add(report.Id);
        }
    }

    /// <summary>A handler begins: I7 and I8.</summary>
    public int Begin(SimulatedProcess process, StageContext context, JsonElement parameters)
    {
        var number = _executions.Count;
        var claim = _claims[context.Claim];
        var task = checker.Tasks[context.TaskId];
        var results = task.ResultsOf(context.JobId, context.Pass);
        var isHeld = task.State.Claim == context.Claim && !task.IsDeleted;
        checker.Story.Tell(
            process.Name,
            $"executes {context.TaskId} run {Story.Short(context.JobId)} pass {context.Pass} stage {context.Stage} "
                + $"under {Story.Short(context.Claim)}{(isHeld ? "" : ", which is lost")}: execution {number}");
        _executions.Add(new Execution(context.Claim, context.Stage));

        Expect(
            claim.Begun.Add(context.Stage),
            "I7",
            () => $"{context.TaskId} stage {context.Stage} is begun twice under one claim");
        if (isHeld)
        {
            Expect(
                results.Count <= context.Stage,
                "I8",
                () => $"{context.TaskId} stage {context.Stage} is begun again after it was recorded");
            Expect(
                results.Count >= context.Stage,
                "I2",
                () => $"{context.TaskId} stage {context.Stage} is begun after {results.Count} results");
        }
        else
        {
            // Its holder cannot know yet; the first report reveals it, so this is the last stage that it begins.
            Expect(
                !claim.HasBegunLate,
                "I8",
                () => $"{context.TaskId} stage {context.Stage} is begun though the claim was lost before the stage "
                    + $"before");
            claim.HasBegunLate = true;
        }

        checker.Routing.CheckHandler(process, context, task.Definition.Commands[context.Stage]);
        CheckParameters(context, parameters, results);
        CountExecution(task, context);
        return number;
    }

    /// <summary>The handler has returned, with any outcome.</summary>
    public void Leave(int number) => _executions[number].IsOver = true;

    public void End(int number, bool coin) => (_executions[number].HasEnded, _executions[number].Coin) = (true, coin);

    /// <summary>
    /// I1: a stage's recorded result is that of its own execution under this claim; null if the stage was skipped or
    /// only waited.
    /// </summary>
    public void CheckRecorded(ObservedTask task, StageEntry entry, IReadOnlyList<JsonElement> before)
    {
        var command = task.Definition.Commands[entry.Stage];
        if (command.Method == MessageCommand.MethodName)
        {
            Expect(
                entry.Result.ValueKind == JsonValueKind.String,
                "I1",
                () => $"{task.Id} stage {entry.Stage}: {entry.Result} is not a message");
            return;
        }

        if (command.Method == TimerCommand.MethodName || (command.Condition is not null
            && !before[0].GetProperty("coin").GetBoolean()))
        {
            Expect(
                entry.Result.ValueKind == JsonValueKind.Null,
                "I1",
                () => $"{task.Id} stage {entry.Stage}: {entry.Result} though nothing was executed");
            return;
        }

        var number = entry.Result.ValueKind == JsonValueKind.Object ? entry.Result.GetProperty("n").GetInt32() : -1;
        Expect(
            number >= 0 && _executions[number] is { HasEnded: true } execution && execution.Stage == entry.Stage
                && execution.Claim == entry.Claim,
            "I1",
            () => $"{task.Id} stage {entry.Stage}: {entry.Result} is not the result of this stage's execution under "
                + $"{entry.Claim}");
    }

    /// <summary>I7 over all tasks.</summary>
    public void Conclude() => Expect(
        Extra <= checker.Interruptions * checker.Options.Capacity,
        "I7",
        () => $"{Extra} extra executions after {checker.Interruptions} interruptions with {checker.Options.Capacity} "
            + $"slots");

    private void CountExecution(ObservedTask task, StageContext context)
    {
        var key = (context.TaskId, context.JobId, context.Pass, context.Stage, context.Attempt);
        _counts[key] = _counts.GetValueOrDefault(key) + 1;
        var count = _counts[key] - task.Snoozes.GetValueOrDefault((context.JobId, context.Attempt, context.Stage));
        var losses = task.Losses.GetValueOrDefault((context.JobId, context.Attempt));
        Extra += count > 1 ? 1 : 0;
        Expect(
            count <= 1 + losses,
            "I7",
            () => $"{context.TaskId} stage {context.Stage} runs for the {count}. time in attempt {context.Attempt} "
                + $"after {losses} lost claims");
    }

    /// <summary>Templates see exactly the recorded results.</summary>
    private void CheckParameters(StageContext context, JsonElement parameters, IReadOnlyList<JsonElement> results)
    {
        if (parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("first", out var first))
        {
            Expect(
                results.Count > 0
                    && first.ToString() == results[0].GetProperty("n")
                        .GetInt32().ToString(CultureInfo.InvariantCulture),
                "I1",
                () => $"{context.TaskId} stage {context.Stage} sees {first} as the result of stage 0, of which "
                    + $"{results.Count} are recorded");
        }
    }

    // The event that ended a run is known by its last report; a run's rows go with it.
    private bool IsOfAnEarlierRun(StageReport report) => checker.Tasks[report.TaskId].State.ResultRun != report.JobId;

    private void Expect(bool holds, string promise, Func<string> what) => checker.Expect(holds, promise, what);
}
