using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// A store in a dictionary, as slow and as simple as can be: it decides nothing but by <see cref="TaskLifecycle"/> and
/// looks at every task for every question. Ids that a store makes are unknown to it until the store shows them.
/// </summary>
internal sealed class StoreModel(LifecycleRules rules, bool chainsAtOnce, TimeSpan resolution)
{
    private const string UnknownRun = "?";
    private readonly List<(ModelTask Finished, string Next)> _chained = [];
    private int _unknownRuns;

    public SortedDictionary<string, ModelTask> Tasks { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, DateTimeOffset> LastPings { get; } = new(StringComparer.Ordinal);

    /// <summary>Oldest first. Numbers are the store's, 0 until it has shown them.</summary>
    public List<TaskNotification> Notifications { get; } = [];

    /// <summary>The numbers of those that a sink has had.</summary>
    public HashSet<long> Delivered { get; } = [];

    public DateTimeOffset Now { get; set; } = ModelDefinitions.Start;

    public LifecycleRules Rules => rules;

    public static bool IsUnknown(string jobId) => jobId.StartsWith(UnknownRun, StringComparison.Ordinal);

    public string NewRun() => $"{UnknownRun}{++_unknownRuns}";

    public ModelTask? Find(string id) => Tasks.GetValueOrDefault(id);

    public IEnumerable<ModelTask> HeldBy(string executorId) =>
        Tasks.Values.Where(task => task.State.ExecutorId == executorId);

    public void Create(TaskDefinition definition) =>
        Tasks[definition.Id!] = new ModelTask(definition, TaskLifecycle.Create(definition, NewRun(), Now), Now, []);

    public void Import(TaskRecord task, Guid claim) =>
        Tasks[task.Id] = new ModelTask(
            task.Definition, TaskImport.State(task, claim, Now, rules), task.Created, TaskImport.Entries(task));

    /// <summary>Carries an event out; false if the lifecycle says that nothing happens.</summary>
    public bool ApplyEvent(ModelTask task, TaskEvent happened)
    {
        if (TaskLifecycle.Next(task.Definition, task.State, happened, Now, rules) is not { } transition)
        {
            return false;
        }

        var before = task.State;
        task.Apply(transition, rules.KeptRuns);
        task.CheckOccurrence(before, isPlanned: happened is TaskEvent.NextPeriod, Now);
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

    /// <summary>What the step's tasks have set off in others, where the store does that last.</summary>
    public void StartChained()
    {
        foreach (var (finished, next) in _chained.OrderBy(chain => chain.Next, StringComparer.Ordinal))
        {
            // Noted first: a task that starts itself goes on to its next run, and the note belongs to the one before.
            var task = Find(next);
            finished.NoteChain(TaskLifecycle.JudgeChain(task?.Definition, task?.State));
            if (task is not null)
            {
                ApplyEvent(task, new TaskEvent.Chained(NewRun()));
            }
        }

        _chained.Clear();
    }

    /// <summary>What a manager's verb does to a task.</summary>
    public TaskEvent EventOf(ManagerVerb verb, ModelTask task) => verb switch
    {
        ManagerVerb.Expel => new TaskEvent.Interrupted(),
        ManagerVerb.AbortOverdue => new TaskEvent.CheckOverdue(),
        ManagerVerb.RestartPeriodic => new TaskEvent.NextPeriod(NewRun()),
        ManagerVerb.WakeWaits => new TaskEvent.CheckWait(),
        ManagerVerb.QueueDue => new TaskEvent.QueueDue(task.Results.Count > 0),
        ManagerVerb.RequeueFailed => new TaskEvent.CheckRetry(),
        _ => throw new ArgumentOutOfRangeException(nameof(verb), verb, null),
    };

    /// <summary>
    /// The tasks that a verb would move now, with what orders them. Where no order is promised all are alike.
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

    /// <summary>A dead executor is forgotten with the last of its tasks.</summary>
    public void ForgetDead()
    {
        foreach (var executor in LastPings.Keys.Where(executor => IsDead(executor) && !HeldBy(executor).Any()).ToList())
        {
            LastPings.Remove(executor);
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
    /// Since when, or from when on, a verb has to do with a task. What has reached its time is due; overdue is only
    /// what is past it.
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

    private bool IsDead(string executor) =>
        LastPings.TryGetValue(executor, out var ping) && ping + rules.ExecutorLifetime < Now;
}
