using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// Compares events with guarantees. It keeps its own records of every task, from the store's steps and the handlers'
/// executions, and does not query the engine. The first fault ends the simulation.
/// </summary>
internal sealed class Checker
{
    private readonly Agenda _agenda;
    private readonly Story _story;
    private readonly TransitionChecks _transitions;
    private readonly List<ObservedTask> _touched = [];

    public Checker(Agenda agenda, Story story, KaijuTasksOptions options, Outages outages)
    {
        (_agenda, _story, Options, Outages) = (agenda, story, options, outages);
        _transitions = new TransitionChecks(this);
        Executions = new ExecutionChecks(this);
        Routing = new RoutingChecks(this);
    }

    public KaijuTasksOptions Options { get; }

    public Outages Outages { get; }

    public ExecutionChecks Executions { get; }

    public RoutingChecks Routing { get; }

    public SortedDictionary<string, ObservedTask> Tasks { get; } = new(StringComparer.Ordinal);

    /// <summary>The last ping of each executor, by the store's clock.</summary>
    public Dictionary<string, DateTimeOffset> Pings { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// The events that may make stages run more than once: kills, stops, freezes, expulsions and lost answers of
    /// claims.
    /// </summary>
    public int Interruptions { get; set; }

    /// <summary>The name of the process whose call the store executes now.</summary>
    public string Speaker { get; private set; } = "";

    /// <summary>The call that the store executes now.</summary>
    public string Call { get; private set; } = "";

    /// <summary>Executors that are expelled now must have been silent since this time.</summary>
    public DateTimeOffset ExpelsAsOf { get; set; }

    /// <summary>The executors that stop in good order.</summary>
    public HashSet<string> Stopping { get; } = new(StringComparer.Ordinal);

    /// <summary>The executor that releases its tasks now.</summary>
    public string? GivesBack { get; set; }

    /// <summary>The fault, beginning with the broken guarantee; null if there is none.</summary>
    public string? Fault { get; private set; }

    public DateTimeOffset Now => _agenda.Now;

    public Story Story => _story;

    public void Fail(string promise, string what)
    {
        Fault ??= $"{promise}: {what}";
        _story.Tell("checker", $"FAULT {promise}: {what}");
    }

    public void Expect(bool holds, string promise, Func<string> what)
    {
        if (!holds)
        {
            Fail(promise, what());
        }
    }

    /// <summary>The rules; the checker observes every transition that the store applies.</summary>
    public LifecycleFunction Watch(LifecycleFunction rules) => (task, state, happened, now, host) =>
    {
        var transition = rules(task, state, happened, now, host);
        if (transition is not null && Tasks.TryGetValue(task.Id!, out var seen))
        {
            Expect(state == seen.State, "I4", () => $"{task.Id} was {state}, not {seen.State} as it was left");
            seen.State = Routing.Held(_transitions.Check(seen, happened, transition));
            seen.HasRested |= IsAtRest(seen);
            _touched.Add(seen);
        }

        return transition;
    };

    public void Begin(string speaker, string call) => (Speaker, Call) = (speaker, call);

    /// <summary>Checks after each step that the store shows its changes.</summary>
    public void End(ITaskStore store)
    {
        foreach (var task in _touched)
        {
            Compare(task, Ask(store.GetAsync(task.Id, default)));
        }

        if (Call == nameof(ITaskStore.ExpelDeadExecutorsAsync) && _touched.Count < Options.ManagerBatch)
        {
            ForgetSilent();
        }

        if (_touched.Count > 0)
        {
            _transitions.EndStep();
            _touched.Clear();
        }

        GivesBack = null;
    }

    public void Created(TaskDefinition definition, CreateAnswer answer, ITaskStore store)
    {
        if (answer.Result != CreateResult.Created)
        {
            return;
        }

        var task = Ask(store.GetAsync(answer.TaskId, default))!;
        Expect(
            task.State is TaskState.Idle or TaskState.Queued,
            "I4",
            () => $"{answer.TaskId} is {task.State} at its creation");
        var seen = new ObservedTask(definition, task.Managed);
        Expect(
            Routing.Held(task.Managed with { Hold = TaskHold.None }) == task.Managed,
            "I12",
            () => $"{answer.TaskId} is created with the hold {task.Managed.Hold}");
        seen.HasRested = IsAtRest(seen);
        Tasks.Add(answer.TaskId, seen);
        var periodic = definition.Cron is { } cron ? $", cron {cron}" : "";
        var disabled = definition.Enabled ? "" : ", disabled";
        _story.Tell(
            Speaker,
            $"creates {answer.TaskId}: {task.State}, {definition.Commands.Count} stages{periodic}{disabled}");
    }

    public void Deleted(string taskId)
    {
        Tasks[taskId].IsDeleted = true;
        _story.Tell(Speaker, $"deletes {taskId}");
    }

    /// <summary>The creation was acknowledged to its client: from now on the task must exist.</summary>
    public void Acknowledged(string taskId) =>
        Expect(Tasks.ContainsKey(taskId), "I10", () => $"{taskId} is acknowledged and was never created");

    /// <summary>The number of runs of a task so far.</summary>
    public int RunsOf(string taskId) => Tasks[taskId].Runs.Count;

    /// <summary>Compares everything that the store shows with the records.</summary>
    public void CompareAll(ITaskStore store)
    {
        var tasks = Ask(
            store.ListAsync(new TaskQuery(), null, int.MaxValue, default)).Items.ToDictionary(task => task.Id);
        foreach (var seen in Tasks.Values.Where(task => !task.IsDeleted))
        {
            Compare(seen, tasks.GetValueOrDefault(seen.Id));
        }

        Expect(
            tasks.Count == Tasks.Values.Count(task => !task.IsDeleted),
            "I10",
            () => "the store has tasks that were never created, or that were deleted");
    }

    /// <summary>Begins the quiet: every task must then come to rest, see <see cref="IsAtRest"/>.</summary>
    public void BeginQuiet()
    {
        foreach (var task in Tasks.Values)
        {
            task.HasRested = IsAtRest(task);
        }
    }

    /// <summary>
    /// True if every task has come to rest since the quiet began. Not all at the same time: some schedule always begins
    /// a run.
    /// </summary>
    public bool HaveAllRested() => Tasks.Values.All(task => task.IsDeleted || HasRested(task));

    /// <summary>
    /// Checks at the end that all tasks rest, every notification exists, and no stage ran more often than its
    /// interruptions explain.
    /// </summary>
    public void Conclude(ITaskStore store)
    {
        CompareAll(store);
        foreach (var task in Tasks.Values.Where(task => !task.IsDeleted && !HasRested(task)))
        {
            Fail("I5", $"{task.Id} does not end: it is {task.State}");
        }

        _transitions.CompareNotifications(
            [.. Ask(
                store.ListNotificationsAsync(new NotificationQuery(), null, int.MaxValue, default)).Items.Reverse()]);
        Executions.Conclude();
    }

    /// <summary>Checks that a manager's search for dead executors has left no task with a dead executor.</summary>
    private void ForgetSilent()
    {
        foreach (var silent in Pings.Where(ping => ping.Value + Options.Rules.ExecutorLifetime < ExpelsAsOf)
            .Select(ping => ping.Key).ToList())
        {
            Expect(
                !Tasks.Values.Any(task => !task.IsDeleted && task.State.ExecutorId == silent),
                "I5",
                () => $"executor {silent} is silent for too long and still holds a task");
            Pings.Remove(silent);
        }
    }

    private bool HasRested(ObservedTask task) => task.HasRested || IsForNone(task);

    /// <summary>True if a task waits for a command that the new version has lost.</summary>
    private bool IsForNone(ObservedTask task) =>
        task.State is
        {
            State: TaskState.Queued,
            Hold: TaskHold.UnknownCommand,
            Method: SimulatedCommands.Removed,
        }
        && !Routing.IsKnown(SimulatedCommands.Removed);

    private bool IsAtRest(ObservedTask task) => task.State switch
    {
        _ when !task.Definition.Enabled => true,
        { State: TaskState.Idle } idle => idle.NextRun is null || idle.NextRun > Now,
        { State: TaskState.Waiting } waiting => waiting is { Wait: WaitKind.Message, WaitDeadline: null },
        var state => state.HasEnded && task.Definition.Cron is null,
    };

    private void Compare(ObservedTask seen, TaskRecord? task)
    {
        if (task is null)
        {
            Fail("I10", $"{seen.Id} was created and is lost");
            return;
        }

        var state = seen.State with { Claim = null, LastReport = null };
        Expect(task.Managed == state, "I4", () => $"{seen.Id} is shown as {task.Managed}, and is {state}");
        var results = seen.Results.GetValueOrDefault((state.ResultRun, state.ResultPass)) ?? [];
        Expect(
            task.Result.Select(result => result.GetRawText()).SequenceEqual(
                results.Select(result => result.GetRawText())),
            "I1",
            () => $"{seen.Id} shows the results {string.Join(", ", task.Result)}; recorded are "
                + $"{string.Join(", ", results)}");
    }

    private static T Ask<T>(ValueTask<T> step) =>
        step.IsCompleted ? step.Result : throw new InvalidOperationException("The store in memory does not wait.");
}
