using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// I12: a task waits for an executor that knows its command and for the end of pauses, and for nothing else. The
/// checker keeps its own announcements and pauses, and decides holds without the engine's rules.
/// </summary>
internal sealed class RoutingChecks(Checker checker)
{
    private readonly Dictionary<string, ProgramVersion> _programs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (IReadOnlyCollection<string> Commands, int Number)> _announced =
        new(StringComparer.Ordinal);

    private readonly List<TaskPause> _pauses = [];
    private readonly HashSet<(string TaskId, string JobId, int Attempt, int Stage, string Method, int Announcement)>
        _putBacks = [];

    private HashSet<string> _pausedMethods = [];
    private int _announcements;

    /// <summary>The events that a simulation must reach to prove something, with their numbers.</summary>
    public Dictionary<RoutingEvent, int> Reached { get; } =
        Enum.GetValues<RoutingEvent>().ToDictionary(reached => reached, _ => 0);

    /// <summary>True if an executor has announced the method.</summary>
    public bool IsKnown(string method) => _announced.Values.Any(known => known.Commands.Contains(method));

    public void Started(string executorId, ProgramVersion program) => _programs.Add(executorId, program);

    public void Announced(ExecutorInfo executor)
    {
        if (!_announced.ContainsKey(executor.Id))
        {
            _announced.Add(executor.Id, (executor.Commands!, ++_announcements));
            Decide();
        }
    }

    /// <summary>Removes the announcements of executors that the store has forgotten.</summary>
    public void Keep(IEnumerable<ExecutorPing> known)
    {
        foreach (var gone in _announced.Keys.Except(known.Select(ping => ping.ExecutorId)).ToList())
        {
            _announced.Remove(gone);
            Decide();
        }
    }

    public void Paused(TaskPause pause)
    {
        _pauses.RemoveAll(other => (other.AppName, other.Method) == (pause.AppName, pause.Method));
        _pauses.Add(pause);
        Reached[RoutingEvent.Pause]++;
        Decide();
    }

    public void Resumed(string? app, string? method)
    {
        _pauses.RemoveAll(pause => (pause.AppName, pause.Method) == (app, method));
        Decide();
    }

    /// <summary>The state after a step, with the hold that the step must have decided.</summary>
    public ManagedState Held(ManagedState after) =>
        after.State == TaskState.Queued && HoldOf(after.Method) is var hold and not TaskHold.None
            ? after with { Hold = hold }
            : after;

    /// <summary>Checks that a repair has made holds right, all of them if it says so.</summary>
    public void Repaired(HoldRepair repair, IReadOnlyList<TaskRecord> queued)
    {
        _pauses.RemoveAll(pause => pause.Until <= checker.Now);
        Decide();
        foreach (var stored in queued)
        {
            var (task, hold) = (checker.Tasks[stored.Id], stored.Managed.Hold);
            var right = HoldOf(task.State.Method);
            Expect(
                hold == right || (repair.HasMore && hold == task.State.Hold),
                () => $"{task.Id} is left with the hold {hold} after {task.State.Hold}; it should be {right}");
            task.State = task.State with { Hold = hold };
        }
    }

    /// <summary>
    /// Checks a claim: the executor knows the command of a held task, and neither its app nor its hold is a pause.
    /// </summary>
    public void CheckClaim(ObservedTask task, ManagedState before, string executorId)
    {
        var isPaused = _pauses.Exists(pause => pause.Method is null && !(pause.Until <= checker.Now));
        Expect(!isPaused, () => $"{task.Id} is claimed though its app is paused");
        Expect(before.Hold != TaskHold.Paused, () => $"{task.Id} is claimed though {before.Method} is paused");
        if (before.Hold == TaskHold.UnknownCommand)
        {
            Reached[RoutingEvent.ClaimOfHeld]++;
            Expect(
                _announced.ContainsKey(executorId) && _programs[executorId].Knows(before.Method!),
                () => $"{task.Id} is claimed by {executorId}, which does not know {before.Method}");
        }
    }

    /// <summary>
    /// Checks a put-back: the task keeps its place and its counts, and this executor does not put it back once more
    /// while it lives.
    /// </summary>
    public void CheckPutBack(ObservedTask task, ManagedState before, ManagedState after, string method)
    {
        Reached[RoutingEvent.PutBack]++;
        var program = _programs[before.ExecutorId!];
        Expect(
            !program.Knows(method) && program.Fill(task.Definition.Commands[before.Stage].Method) == method,
            () => $"{task.Id} is put back since {before.ExecutorId} does not know {method}");
        if (after.State == TaskState.Failed)
        {
            return;
        }

        Expect(
            (after.QueuedAt, after.Retries, after.Interruptions, after.Stage, after.Pass)
                == (before.QueuedAt, before.Retries, before.Interruptions, before.Stage, before.Pass),
            () => $"{task.Id} is put back and is {after} after {before}");
        Expect(
            after.Hold == TaskHold.UnknownCommand && after.Method == method,
            () => $"{task.Id} is put back for {method}, with the hold {after.Hold} for {after.Method}");
        var announcement = _announced.TryGetValue(before.ExecutorId!, out var known) ? known.Number : 0;
        Expect(
            _putBacks.Add((task.Id, after.JobId, after.Attempt, after.Stage, method, announcement)),
            () => $"{task.Id} is put back for {method} by {before.ExecutorId} again");
    }

    /// <summary>Checks that a handler is one of its process and of the stage.</summary>
    public void CheckHandler(SimulatedProcess process, StageContext context, TaskCommand command)
    {
        var program = ((ExecutorProcess)process).Program;
        Expect(
            program.Knows(context.Method) && program.Fill(command.Method) == context.Method,
            () => $"{context.TaskId} stage {context.Stage} begins {context.Method} on {process.Name}, which does not "
                + $"know it or fills {command.Method} with another command");
    }

    /// <summary>Checks that only the method that no executor ever knows fails as unknown.</summary>
    public void CheckFailure(ObservedTask task, ManagedState after)
    {
        if (after.Error?.Kind == TaskErrorKind.UnknownCommand)
        {
            Reached[RoutingEvent.FailureOfUnknown]++;
            Expect(
                task.Definition.Commands[after.Stage].Method == ProgramVersion.Other,
                () => $"{task.Id} fails at stage {after.Stage}: {after.Error!.Message}");
        }
    }

    /// <summary>The hold of a method, as the facts were at their last change.</summary>
    private TaskHold HoldOf(string? method) =>
        method is null ? TaskHold.None
        : _pausedMethods.Contains(method) ? TaskHold.Paused
        : _announced.Values.All(known => known.Commands.Contains(method)) ? TaskHold.None
        : TaskHold.UnknownCommand;

    private void Decide() =>
        _pausedMethods = [.. _pauses.Where(pause => !(pause.Until <= checker.Now)).Select(pause => pause.Method)
            .OfType<string>()];

    private void Expect(bool holds, Func<string> what) => checker.Expect(holds, "I12", what);
}

/// <summary>The events about routing that are counted.</summary>
internal enum RoutingEvent
{
    PutBack,
    ClaimOfHeld,
    FailureOfUnknown,
    Pause,
}
