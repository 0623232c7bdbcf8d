using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// A store in a dictionary, as slow and as simple as possible. It decides only with <see cref="TaskLifecycle"/> and
/// <see cref="TaskRouting"/>, and looks at every task for every question. It learns ids that a store creates when the
/// store shows them.
/// </summary>
internal sealed class StoreModel(LifecycleRules rules, bool chainsAtOnce, TimeSpan resolution)
{
    private const string UnknownRun = "?";
    private readonly List<(ModelTask Finished, string Next)> _chained = [];
    private int _unknownRuns;

    public SortedDictionary<string, ModelTask> Tasks { get; } = new(StringComparer.Ordinal);

    public ModelRouting Routing { get; } = new();

    public Dictionary<string, DateTimeOffset> LastPings { get; } = new(StringComparer.Ordinal);

    /// <summary>The notifications, oldest first. Numbers are the store's; 0 until the store has shown them.</summary>
    public List<TaskNotification> Notifications { get; } = [];

    /// <summary>The numbers of the notifications that were delivered to a sink.</summary>
    public HashSet<long> Delivered { get; } = [];

    public DateTimeOffset Now { get; set; } = ModelDefinitions.Start;

    public LifecycleRules Rules => rules;

    public static bool IsUnknown(string jobId) => jobId.StartsWith(UnknownRun, StringComparison.Ordinal);

    public string NewRun() => $"{UnknownRun}{++_unknownRuns}";

    public ModelTask? Find(string id) => Tasks.GetValueOrDefault(id);

    public IEnumerable<ModelTask> HeldBy(string executorId) =>
        Tasks.Values.Where(task => task.State.ExecutorId == executorId);

    public void Create(TaskDefinition definition, long? version = null) =>
        Tasks[definition.Id!] = new ModelTask(
            definition, DecideHold(definition, TaskLifecycle.Create(definition, NewRun(), Now)), Now, [])
        {
            Version = version,
        };

    /// <summary>Creates a task, or updates the stored one.</summary>
    public CreateResult Upsert(TaskDefinition definition, long? version)
    {
        if (Find(definition.Id!) is not { } task)
        {
            Create(definition, version);
            return CreateResult.Created;
        }

        var (claim, report) = (task.State.Claim, task.State.LastReport);
        var deployment = TaskDeployment.Decide(task.Snapshot(), definition, version, Now);
        if (deployment.Result == CreateResult.Updated)
        {
            var state = deployment.State with { Claim = claim, LastReport = report };
            task.Update(deployment.Definition, deployment.Waiting, DecideHold(deployment.Definition, state), Now);
            task.Version = deployment.Version;
        }

        return deployment.Result;
    }

    public void Import(TaskRecord task, Guid claim) =>
        Tasks[task.Id] = new ModelTask(
            task.Definition,
            DecideHold(task.Definition, TaskImport.State(task, claim, Now, rules)),
            task.Created,
            TaskImport.Entries(task))
        {
            Waiting = task.Waiting,
            Version = task.Version,
        };

    public void Update(ModelTask task, TaskDefinition definition) =>
        task.Update(
            definition,
            TaskUpdate.KeepWaiting(task.Definition, task.Waiting, definition),
            DecideHold(definition, TaskUpdate.Apply(task.Definition, definition, task.State, Now)),
            Now);

    /// <summary>Applies an event; false if the lifecycle decides that it changes nothing.</summary>
    public bool ApplyEvent(ModelTask task, TaskEvent happened)
    {
        if (TaskLifecycle.Next(task.Definition, task.State, happened, Now, rules) is not { } transition)
        {
            return false;
        }

        var before = task.State;
        var work = transition.TakesWaiting ? task.Waiting! : task.Definition;
        task.Apply(transition with { After = DecideHold(work, transition.After) }, rules.KeptRuns);
        if (happened is TaskEvent.NextPeriod)
        {
            task.CheckStart(before, Now);
        }
        else
        {
            var isPlanned = happened is TaskEvent.QueueDue && task.State.State == TaskState.Idle;
            task.CheckOccurrence(before, isPlanned, Now);
        }

        if (transition.Notify)
        {
            Notifications.Add(task.Notification(Now));
        }

        if (transition.StartNext is { } next)
        {
            _chained.Add((task, next));
            if (chainsAtOnce)
            {
                StartChained();
            }
        }

        return true;
    }

    /// <summary>Starts the next tasks of the step's tasks, where the store does that last.</summary>
    public void StartChained()
    {
        foreach (var (finished, next) in _chained.OrderBy(chain => chain.Next, StringComparer.Ordinal))
        {
            // Noted first: a task that starts itself moves to its next run, and the note belongs to the run before.
            var task = Find(next);
            finished.NoteChain(TaskLifecycle.JudgeChain(task?.Definition, task?.State));
            if (task is not null)
            {
                ApplyEvent(task, new TaskEvent.Chained(NewRun()));
            }
        }

        _chained.Clear();
    }

    /// <summary>The event that a duty applies to a task.</summary>
    public TaskEvent EventOf(ManagerVerb verb, ModelTask task) => verb switch
    {
        ManagerVerb.Expel => new TaskEvent.Interrupted(),
        ManagerVerb.AbortOverdue => new TaskEvent.CheckOverdue(),
        ManagerVerb.RestartPeriodic => new TaskEvent.NextPeriod(NewRun()),
        ManagerVerb.WakeWaits => new TaskEvent.CheckWait(),
        ManagerVerb.QueueDue => new TaskEvent.QueueDue(task.Results.Count > 0, task.Waiting),
        ManagerVerb.RequeueFailed => new TaskEvent.CheckRetry(),
        _ => throw new ArgumentOutOfRangeException(nameof(verb), verb, null),
    };

    /// <summary>
    /// The tasks that a duty would move now, with the values that order them. Without a promised order all values are
    /// equal.
    /// </summary>
    public Dictionary<string, DateTimeOffset> Due(ManagerVerb verb) =>
        Tasks.Values
            .Where(task => verb != ManagerVerb.Expel || (task.State.ExecutorId is { } executor && IsDead(executor)))
            .Where(task => verb == ManagerVerb.Expel || DueSince(verb, task) <= Now)
            .Where(task => TaskLifecycle.Next(task.Definition, task.State, EventOf(verb, task), Now, rules) is not null)
            .ToDictionary(
                task => task.Id,
                task =>
                    verb is ManagerVerb.Expel or ManagerVerb.RestartPeriodic ? default : DueSince(verb, task)!.Value);

    /// <summary>Removes dead executors that hold no task any more.</summary>
    public void ForgetDead()
    {
        foreach (var executor in LastPings.Keys.Where(executor => IsDead(executor) && !HeldBy(executor).Any()).ToList())
        {
            LastPings.Remove(executor);
            Routing.Forget(executor, Now);
        }
    }

    public TimeSpan? TimeToNextDuty()
    {
        var dues = Tasks.Values.Where(task => task.Definition.Enabled)
            .SelectMany(task => Enum.GetValues<ManagerVerb>().Select(verb => DueSince(verb, task)))
            .Concat(LastPings.Values.Select(ping => (DateTimeOffset?)(ping + rules.ExecutorLifetime + resolution)))
            .Where(due => due is not null)
            .ToList();
        return dues.Count == 0 ? null : TimeSpan.FromTicks(Math.Max(0, (dues.Min()!.Value - Now).Ticks));
    }

    /// <summary>
    /// The time at which a duty for a task becomes due; null if there is none. A task is due at its time, and overdue
    /// only after its deadline.
    /// </summary>
    private DateTimeOffset? DueSince(ManagerVerb verb, ModelTask task)
    {
        var state = task.State;
        return (verb, state.State) switch
        {
            (ManagerVerb.AbortOverdue, _) => TaskLifecycle.OverdueSince(task.Definition, state, rules) + resolution,
            (ManagerVerb.RestartPeriodic, TaskState.Finished or TaskState.Failed) when task.Definition.Cron is not null
                && state.HasEnded => state.StatusChange,
            (ManagerVerb.WakeWaits, TaskState.Waiting) => state.WaitDeadline,
            (ManagerVerb.QueueDue, TaskState.Idle) => state.NextRun,
            (ManagerVerb.QueueDue, TaskState.Suspended) => state.StatusChange,
            (ManagerVerb.RequeueFailed, TaskState.Failed) => state.RetryAt,
            _ => null,
        };
    }

    /// <summary>The state with its hold, which is decided in each step that queues a task.</summary>
    private ManagedState DecideHold(TaskDefinition task, ManagedState after) =>
        Routing.Holds.Decide(task.AppName!, after);

    private bool IsDead(string executor) =>
        LastPings.TryGetValue(executor, out var ping) && ping + rules.ExecutorLifetime < Now;
}
