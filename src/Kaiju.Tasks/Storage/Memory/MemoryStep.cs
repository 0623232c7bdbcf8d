using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Storage.Memory;

/// <summary>
/// One step of a store in memory, from <see cref="MemoryState.BeginStep"/> to its disposal. It has one time, applies
/// events, and collects the hints and log lines to write after it.
/// </summary>
internal sealed class MemoryStep(MemoryState state) : IDisposable
{
    private DateTimeOffset? _now;
    private List<Action<ILogger>>? _log;

    /// <summary>The step's time. It is read under the lock, so that steps are in the order of their times.</summary>
    public DateTimeOffset Now => _now ??= state.ReadClock();

    public StoreHint Hints { get; private set; }

    public void Hint(StoreHintKinds kinds, MemoryTask task) =>
        Hints = Hints.With(kinds, task.Definition.AppName, task.Id);

    /// <summary>Hints that tasks of an app may be claimed; null for any app.</summary>
    public void HintOfApp(string? appName) => Hints = Hints.With(StoreHintKinds.Queued, appName, null);

    /// <summary>
    /// Applies an event as the lifecycle decides, with all consequences; false if the event changes nothing.
    /// </summary>
    public bool ApplyEvent(MemoryTask task, TaskEvent happened)
    {
        var before = task.State;
        if (state.Next(task.Definition, before, happened, Now, state.Rules) is not { } transition)
        {
            return false;
        }

        var work = transition.TakesWaiting ? task.Waiting ?? task.Definition : task.Definition;
        if (transition.After.State == TaskState.Queued)
        {
            transition = transition with { After = Decide(work, transition.After) };
        }

        if (transition.TakesWaiting && task.Waiting is not null)
        {
            // Tasks are listed by their app, which may be another one now.
            state.Tasks.Remove(task);
            task.Apply(transition, state.Rules.KeptRuns);
            state.Tasks.Add(task);
        }
        else
        {
            state.Tasks.Leave(task);
            task.Apply(transition, state.Rules.KeptRuns);
            state.Tasks.Enter(task);
        }

        if (transition.Notify)
        {
            state.Notifications.Add(task, Now);
            Hint(StoreHintKinds.Notified, task);
        }

        Hint(StoreHint.KindsOf(task.Definition, before, task.State, happened), task);
        if (transition.StartNext is { } chained)
        {
            StartNext(task, chained);
        }

        return true;
    }

    /// <summary>Replaces a task's definition.</summary>
    public void Update(MemoryTask task, TaskDefinition definition, TaskDefinition? waiting, ManagedState updated)
    {
        // Removed and added again: the sets of a task depend on its group, its user, its priority and its Enabled.
        state.Tasks.Remove(task);
        task.Update(definition, waiting, Decide(definition, updated));
        state.Tasks.Add(task);
        var queued = task.State.State == TaskState.Queued ? StoreHintKinds.Queued : StoreHintKinds.None;
        Hint(StoreHintKinds.Duty | queued, task);
    }

    /// <summary>Stores a deployment, unless it changes nothing.</summary>
    public CreateResult Deploy(MemoryTask task, TaskDeployment deployment)
    {
        if (deployment.Result == CreateResult.Updated)
        {
            // The claim and the last report are not part of a snapshot.
            var updated = deployment.State with { Claim = task.State.Claim, LastReport = task.State.LastReport };
            Update(task, deployment.Definition, deployment.Waiting, updated);
            task.Version = deployment.Version;
        }

        return deployment.Result;
    }

    /// <summary>The state of a task with its hold decided.</summary>
    public ManagedState Decide(TaskDefinition task, ManagedState after) =>
        state.Routing.Decide(task.AppName!, after);

    /// <summary>Sets aside a task about which the lifecycle failed. See docs/decisions/0010.</summary>
    public void SetAside(MemoryTask task, TaskEvent happened, Exception reason)
    {
        state.Tasks.SetAside(task, Now);
        var (taskId, work, pause) = (task.Id, happened.GetType().Name, task.AsideFor);
        (_log ??= []).Add(guarded => Log.TaskSetAside(guarded, reason, taskId, work, pause));
    }

    /// <summary>Writes the step's log lines.</summary>
    public void WriteLog(ILogger guardedLogger) => _log?.ForEach(write => write(guardedLogger));

    public void Dispose() => state.EndStep(this);

    private void StartNext(MemoryTask finished, string next)
    {
        // Noted first: a task that starts itself continues with its next run, and the note belongs to the one before.
        var target = state.Tasks.Find(next);
        var result = TaskLifecycle.JudgeChain(target?.Definition, target?.State);
        finished.NoteChain(result);
        if (target is not null)
        {
            ApplyEvent(target, new TaskEvent.Chained(state.NewJobId()));
        }

        if (result != ChainResult.Started)
        {
            LogLostChain(finished.Id, next, result);
        }
    }

    private void LogLostChain(string finished, string next, ChainResult result) =>
        (_log ??= []).Add(guarded => Log.ChainLost(guarded, finished, next, result));
}
