using System.Text;
using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// One task in the model, as plain values; its visible forms are created when they are read.
/// </summary>
internal sealed class ModelTask(
    TaskDefinition definition, ManagedState state, DateTimeOffset created, IEnumerable<StageEntry> rows)
{
    private readonly List<StageEntry> _rows = [.. rows];
    private readonly List<TaskRun> _runs = [];

    public TaskDefinition Definition { get; private set; } = definition;

    /// <summary>The definition that waits for the next run.</summary>
    public TaskDefinition? Waiting { get; set; }

    /// <summary>The version of the newest definition.</summary>
    public long? Version { get; set; }

    public ManagedState State { get; private set; } = state;

    public DateTimeOffset Created { get; } = created;

    public int Revision { get; private set; }

    /// <summary>Every run that the task has had, including those whose outcome is not kept any more.</summary>
    public HashSet<string> AllRuns { get; } = [state.JobId, state.ResultRun];

    public string Id => Definition.Id!;

    /// <summary>The results that are shown: rows without an error of the last queued run and pass.</summary>
    public IReadOnlyList<JsonElement> Results =>
        [.. _rows.Where(row => row.Error is null && row.JobId == State.ResultRun && row.Pass == State.ResultPass)
            .OrderBy(row => row.Stage).Select(row => row.Result)];

    /// <summary>The approximate size in bytes that a claim counts for the task.</summary>
    public long Bytes => Length(Definition.KwsJson)
        + Definition.Commands.Sum(command => Length(command.ParamsJson)) + Results.Sum(Length);

    /// <summary>Applies every part of a transition.</summary>
    public void Apply(Transition transition, int keptRuns)
    {
        if (transition.ArchivesRun)
        {
            _runs.Add(RunNow());
            _runs.RemoveRange(0, Math.Max(0, _runs.Count - keptRuns));
        }

        if (transition.RestoresRun)
        {
            _runs.RemoveAll(run => run.JobId == transition.After.JobId);
        }

        if (transition.MovedResults > 0)
        {
            var moved = _rows.FindAll(row => row.Error is null && row.JobId == State.ResultRun
                && row.Pass == State.ResultPass && row.Stage < transition.MovedResults);
            _rows.RemoveAll(moved.Contains);
            _rows.AddRange(moved.OrderBy(row => row.Stage)
                .Select(row => row.With(entry => entry.Pass, transition.After.ResultPass)));
        }

        if (transition.After.ResultRun != State.ResultRun)
        {
            // A run's rows are kept until the next one is queued.
            _rows.Clear();
        }

        if (transition.TakesWaiting)
        {
            // The work of the waiting definition, beside members that have counted all along.
            Definition = Definition with
            {
                Commands = Waiting!.Commands,
                KwsJson = Waiting.KwsJson,
                AppName = Waiting.AppName,
            };
            (Waiting, Revision) = (null, Revision + 1);
        }

        State = transition.After;
        AllRuns.Add(State.JobId);
        if (transition.Entry is { } row)
        {
            _rows.Add(row);
        }
    }

    public void Update(TaskDefinition definition, TaskDefinition? waiting, ManagedState state, DateTimeOffset now)
    {
        Waiting = waiting;
        var before = (Definition.Cron, State);
        (Definition, State, Revision) = (definition, state, Revision + 1);
        var isPlanned = before.Cron != definition.Cron && before.State.NextRun != State.NextRun
            && definition is { Cron: not null, RunAt: null };
        CheckOccurrence(before.State, isPlanned, now);
    }

    /// <summary>
    /// Checks that no occurrence runs twice, independently of the lifecycle. A run's occurrence is never before an
    /// earlier one. The next run is planned after all of them and after now.
    /// </summary>
    public void CheckOccurrence(ManagedState before, bool isPlanned, DateTimeOffset now)
    {
        if (before.Occurrence is { } last && (State.Occurrence is null || State.Occurrence < last))
        {
            Difference.Fail($"The occurrence of {Id} went back from {last:O} to {State.Occurrence:O}.");
        }

        if (isPlanned && (State.NextRun <= State.Occurrence || State.NextRun <= now))
        {
            Difference.Fail(
                $"{Id} is planned for {State.NextRun:O}; its last occurrence is {State.Occurrence:O}, and it is "
                    + $"{now:O}.");
        }
    }

    /// <summary>
    /// Checks the next run of a periodic task: an occurrence that waited for the end of a retried run is the next one,
    /// any other is planned anew.
    /// </summary>
    public void CheckStart(ManagedState before, DateTimeOffset now)
    {
        var isWaiting = before.NextRun > before.Occurrence;
        if (isWaiting)
        {
            Difference.Check($"the waiting occurrence of {Id}", before.NextRun, State.NextRun);
        }

        CheckOccurrence(before, isPlanned: !isWaiting, now);
    }

    /// <summary>Records a hold that the store has corrected.</summary>
    public void Rehold(TaskHold hold) => State = State with { Hold = hold };

    /// <summary>Records the result of the start of the next task.</summary>
    public void NoteChain(ChainResult result) => State = State with { Chain = result };

    /// <summary>Records the store's id of a run that began in this step.</summary>
    public void LearnRun(string unknown, string jobId)
    {
        State = State with
        {
            JobId = State.JobId == unknown ? jobId : State.JobId,
            ResultRun = State.ResultRun == unknown ? jobId : State.ResultRun,
        };
        AllRuns.Remove(unknown);
        AllRuns.Add(jobId);
    }

    public StageEntry? RowOf(ReportId report) =>
        _rows.Find(row => row.Claim == report.Claim && row.Stage == report.Stage);

    /// <summary>The history that is shown, without claims, which only executors see.</summary>
    public IReadOnlyList<StageEntry> Stages => _rows.ConvertAll(row => row.With(entry => entry.Claim, null));

    public IReadOnlyList<TaskRun> Runs =>
        [.. State.HasEnded ? [RunNow()] : Array.Empty<TaskRun>(), .. _runs.AsEnumerable().Reverse()];

    public TaskRecord Snapshot() => new()
    {
        Definition = Definition,
        Managed = State with { Claim = null, LastReport = null },
        Created = Created,
        Revision = Revision,
        Waiting = Waiting,
        Version = Version,
        Result = Results,
    };

    public TaskRun? RunOf(string jobId) =>
        State.JobId == jobId ? State.HasEnded ? RunNow() : null : _runs.Find(run => run.JobId == jobId);

    public TaskNotification Notification(DateTimeOffset now) => new()
    {
        Id = 0,
        TaskId = Id,
        JobId = State.JobId,
        UserId = Definition.UserId,
        State = State.State,
        IsFinal = State.HasEnded,
        ExitCode = State.ExitCode,
        Error = State.Error,
        Result = Results,
        Created = now,
    };

    public ExecutorTask ForExecutor(DateTimeOffset now) => new()
    {
        Id = Id,
        AppName = Definition.AppName!,
        ExecutorId = State.ExecutorId!,
        Claim = State.Claim!.Value,
        JobId = State.JobId,
        Pass = State.Pass,
        Attempt = State.Attempt,
        Retries = State.Retries,
        StageRetries = State.StageRetries,
        Stage = State.Stage,
        Stages = Definition.Commands.Count,
        Commands = [.. Changed.Commands.Skip(State.Stage)],
        Result = Results,
        Kws = Changed.KwsJson,
        ExecDeadline = State.ExecDeadline!.Value,
        TimeLeft = State.ExecDeadline.Value - now,
        MaxRetries = Definition.MaxRetries ?? 0,
        RetryDelay = Definition.RetryDelay,
        QueuedFor = now - State.QueuedAt!.Value,
    };

    /// <summary>The definition as the present run uses it.</summary>
    private TaskDefinition Changed => State.Changes is { } changes ? changes.Apply(Definition) : Definition;

    private TaskRun RunNow() => new()
    {
        TaskId = Id,
        JobId = State.JobId,
        State = State.State,
        ExitCode = State.ExitCode,
        Error = State.Error,
        Result = Results,
        Retries = State.Attempt - 1,
        Occurrence = State.Occurrence,
        Chain = State.Chain,
        QueuedAt = State.QueuedAt,
        Ended = State.StatusChange,
    };

    private static long Length(JsonElement json) =>
        json.ValueKind == JsonValueKind.Undefined ? 0 : Encoding.UTF8.GetByteCount(json.GetRawText());
}
