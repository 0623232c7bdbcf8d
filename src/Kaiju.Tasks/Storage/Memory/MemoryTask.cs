using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>One task with its rows. Used under the store's lock.</summary>
internal sealed class MemoryTask
{
    private readonly List<StageEntry> _history;
    private readonly List<JsonElement> _results;
    private List<TaskRun>? _runs;
    private long _tickets;
    private long _definitionBytes;
    private long _resultBytes;

    public MemoryTask(
        TaskDefinition definition,
        ManagedState state,
        DateTimeOffset created,
        long sequence,
        IEnumerable<StageEntry> history)
    {
        Definition = definition;
        State = state;
        Created = created;
        Sequence = sequence;
        _history = new List<StageEntry>(definition.Commands.Count);
        _results = new List<JsonElement>(definition.Commands.Count);
        foreach (var entry in history)
        {
            Add(entry);
        }

        _definitionBytes = BytesOf(definition);
    }

    public TaskDefinition Definition { get; private set; }

    /// <summary>The number of updates of the definition.</summary>
    public int Revision { get; private set; }

    /// <summary>The definition that waits for the next run.</summary>
    public TaskDefinition? Waiting { get; set; }

    /// <summary>The version of the newest definition.</summary>
    public long? Version { get; set; }

    public ManagedState State { get; private set; }

    public DateTimeOffset Created { get; }

    /// <summary>The task's number in the order of arrival, which orders tasks with equal times.</summary>
    public long Sequence { get; }

    /// <summary>The task's place in the queue or in a manager's duty; kept by <see cref="MemoryIndex"/>.</summary>
    public WorkPlace? Place { get; set; }

    /// <summary>The task's place among those that can become overdue.</summary>
    public WorkPlace? OverduePlace { get; set; }

    /// <summary>The task's place among those that ended for good.</summary>
    public WorkPlace? EndedPlace { get; set; }

    /// <summary>The time until which duties skip the task, because one of them failed on it.</summary>
    public DateTimeOffset AsideUntil { get; private set; }

    /// <summary>The length of the next pause: one minute, doubled at each failure, up to five minutes.</summary>
    public TimeSpan AsideFor { get; private set; }

    public string Id => Definition.Id!;

    /// <summary>The task's place in the order of creation.</summary>
    public CreationKey CreationKey => CreationKey.Of(this);

    /// <summary>True if the task is queued and not held. A disabled one is, too, but has no place.</summary>
    public bool IsInCommonQueue => State is { State: TaskState.Queued, Hold: TaskHold.None };

    public bool HasResults => _results.Count > 0;

    /// <summary>The number of results that are shown.</summary>
    public int Results => _results.Count;

    /// <summary>The approximate size in bytes that a claim counts for the task.</summary>
    public long Bytes => _definitionBytes + _resultBytes;

    /// <summary>True if the task is in the scope; null is the scope of all tasks.</summary>
    public bool IsIn(TaskScope? scope) =>
        scope?.Includes(Definition.AppName, Definition.Group, Definition.UserId) != false;

    /// <summary>
    /// A ticket for a place in a <see cref="WorkHeap"/>; no other place of this task has the same one.
    /// </summary>
    public long NextTicket() => ++_tickets;

    /// <summary>True while the entry of a <see cref="WorkHeap"/> with this ticket is valid.</summary>
    public bool Holds(long ticket) =>
        Place?.Ticket == ticket || OverduePlace?.Ticket == ticket || EndedPlace?.Ticket == ticket;

    public void Apply(Transition transition, int keptRuns)
    {
        if (transition.ArchivesRun)
        {
            Archive(keptRuns);
        }

        var after = transition.After;
        if (transition.RestoresRun)
        {
            _runs!.RemoveAll(run => run.JobId == after.JobId);
        }

        if (after.ResultRun != State.ResultRun)
        {
            _history.Clear();
        }

        if (after.ResultRun != State.ResultRun || after.ResultPass != State.ResultPass)
        {
            Move(transition.MovedResults, after.ResultPass);
        }

        if (transition.TakesWaiting && Waiting is { } waiting)
        {
            Update(TaskDeployment.Take(Definition, waiting), null, after);
        }

        State = after;
        if (transition.Entry is { } entry)
        {
            Add(entry);
        }
    }

    public void Update(TaskDefinition definition, TaskDefinition? waiting, ManagedState state)
    {
        (Definition, Waiting, State, Revision) = (definition, waiting, state, Revision + 1);
        _definitionBytes = BytesOf(definition);
    }

    /// <summary>Changes the hold of a queued task.</summary>
    public void Rehold(TaskHold hold) => State = State with { Hold = hold };

    public void SetAside(DateTimeOffset now)
    {
        AsideFor = AsideFor == TimeSpan.Zero
            ? TimeSpan.FromMinutes(1)
            : TimeSpan.FromMinutes(Math.Min(5, AsideFor.TotalMinutes * 2));
        AsideUntil = now + AsideFor;
    }

    public void NoteChain(ChainResult result) => State = State with { Chain = result };

    /// <summary>The history of the run that is shown, without claims, which only executors see.</summary>
    public IReadOnlyList<StageEntry> Stages() => [.. _history.Select(entry => entry.WithoutClaim())];

    public IReadOnlyList<TaskRun> Runs()
    {
        IEnumerable<TaskRun> earlier = (_runs ?? []).AsEnumerable().Reverse();
        return State.HasEnded ? [RunNow(), .. earlier] : [.. earlier];
    }

    public StageEntry? FindEntry(ReportId report) =>
        _history.FindLast(entry => entry.Claim == report.Claim && entry.Stage == report.Stage);

    public TaskRecord Snapshot() => new()
    {
        Definition = Definition,
        Managed = State with { Claim = null, LastReport = null },
        Created = Created,
        Revision = Revision,
        Waiting = Waiting,
        Version = Version,
        Result = [.. _results],
    };

    public TaskRun? FindRun(string jobId)
    {
        if (State.JobId == jobId)
        {
            return State.HasEnded ? RunNow() : null;
        }

        return _runs?.FindLast(run => run.JobId == jobId);
    }

    public TaskNotification Notification(long id, DateTimeOffset now) => new()
    {
        Id = id,
        TaskId = Id,
        JobId = State.JobId,
        UserId = Definition.UserId,
        State = State.State,
        IsFinal = State.HasEnded,
        ExitCode = State.ExitCode,
        Error = State.Error,
        Result = [.. _results],
        Created = now,
    };

    public ExecutorTask ForExecutor(DateTimeOffset now) =>
        ExecutorTask.Of(Definition, State, _results.Count == 0 ? [] : [.. _results], now);

    public TaskMove MoveFrom(TaskState from) => TaskMove.Of(Id, Definition.AppName!, from, State);

    private void Add(StageEntry entry)
    {
        _history.Add(entry);
        if (entry.Error is null)
        {
            _results.Add(entry.Result);
            _resultBytes += JsonText.Size(entry.Result);
        }
    }

    /// <summary>Keeps the first results of the pass before as those of a new pass, and shows no others.</summary>
    private void Move(int results, int pass)
    {
        var moved = results == 0 ? [] : _history.FindAll(
            entry => entry.Error is null && entry.Pass == State.ResultPass && entry.Stage < results);
        _history.RemoveAll(moved.Contains);
        _results.Clear();
        _resultBytes = 0;
        foreach (var entry in moved)
        {
            Add(entry.InPass(pass));
        }
    }

    private void Archive(int keptRuns)
    {
        (_runs ??= []).Add(RunNow());
        if (_runs.Count > keptRuns)
        {
            _runs.RemoveAt(0);
        }
    }

    private TaskRun RunNow() => TaskRun.Of(Id, State, [.. _results]);

    private static long BytesOf(TaskDefinition definition) =>
        JsonText.Size(definition.KwsJson) + JsonText.Size(definition.MetaJson) + definition.Commands.Sum(BytesOf);

    private static long BytesOf(TaskCommand command) =>
        (long)JsonText.Size(command.ParamsJson) + JsonText.Size(command.Condition?.Json ?? default);
}
