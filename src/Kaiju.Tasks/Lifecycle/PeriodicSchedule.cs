using System.Globalization;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Computes the next occurrence of a periodic task, the occurrence of a run, and the skipped occurrences. The schedule
/// continues after the latest occurrence that ran or was cancelled, so <see cref="ManagedState.Occurrence"/> never
/// decreases.
/// </summary>
internal static class PeriodicSchedule
{
    // A task that runs each second may miss a day of occurrences. Counting more than this would only cost time.
    private const int MostCounted = 10_000;

    /// <summary>
    /// The state of a task that waits for its next occurrence; null if the schedule has none left. If this machine
    /// cannot read the schedule, such as one in an unknown time zone, the task gets an error and no next run. Otherwise
    /// managers would try to schedule it again and again.
    /// </summary>
    public static ManagedState? Plan(TaskDefinition task, ManagedState state, DateTimeOffset now) =>
        Plan(task, state, now, Read);

    /// <summary>The same with another reader of schedules.</summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="read">
    /// The reader. It returns a function from a time to the schedule's first occurrence after it.
    /// </param>
    internal static ManagedState? Plan(
        TaskDefinition task,
        ManagedState state,
        DateTimeOffset now,
        Func<TaskDefinition, Func<DateTimeOffset, DateTimeOffset?>> read)
    {
        try
        {
            // After now, so that missed occurrences are not run later.
            return Following(task, read(task), Greater(Last(state), now)) is { } next
                ? state with { NextRun = next }
                : null;
        }
        catch (FormatException e)
        {
            return state with
            {
                NextRun = null,
                Error = TaskError.Create(TaskErrorKind.Schedule, e.Message),
                ExitCode = null,
            };
        }
    }

    /// <summary>
    /// The state of a run that is due: its occurrence, and the number of occurrences that the rules skip. A run that
    /// <see cref="MissedRuns.Skip"/> leaves out has no occurrence: the task is IDLE, and waits for the next one.
    /// </summary>
    public static (ManagedState State, bool Runs) Due(
        TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        var occurrence = Waited(state, now);
        var missed = task.MissedRuns ?? rules.MissedRuns;
        if (missed == MissedRuns.RunOnce)
        {
            return (state with { Occurrence = occurrence }, true);
        }

        var passed = Passed(task, occurrence, now);
        var latest = passed.Count == 0 ? occurrence : passed[^1];
        if (missed == MissedRuns.Skip && now - latest > rules.MissedRunTolerance && IsScheduled(task, state.NextRun))
        {
            // The occurrence itself is skipped too. It stays the last one that counts until a run begins.
            var skipped = state with { Skipped = state.Skipped + passed.Count + 1 };
            return (Plan(task, skipped, now) ?? skipped with { NextRun = null }, false);
        }

        return (state with { Occurrence = latest, Skipped = state.Skipped + passed.Count }, true);
    }

    /// <summary>True if the schedule has an occurrence at this time; a reset or a chain starts at any time.</summary>
    private static bool IsScheduled(TaskDefinition task, DateTimeOffset? time)
    {
        try
        {
            return time is { } at && Read(task)(at.AddTicks(-1)) == at;
        }
        catch (FormatException)
        {
            // Plan reports the error after the run.
            return false;
        }
    }

    /// <summary>
    /// The occurrence of a task that waits for its next run: the time of that run. A run that begins earlier, after a
    /// reset, a chained start or a clock that was put back, repeats the last occurrence.
    /// </summary>
    public static DateTimeOffset Waited(ManagedState state, DateTimeOffset now) =>
        Greater(Last(state), state.NextRun ?? now);

    /// <summary>
    /// The occurrence that waits until a run before it, which was retried by hand, has ended; null if none waits. The
    /// time of any other run is not after its occurrence.
    /// </summary>
    public static DateTimeOffset? WaitingStart(TaskDefinition task, ManagedState state) =>
        task.Cron is not null && state.NextRun > state.Occurrence ? state.NextRun : null;

    /// <summary>
    /// The state of the next run, with the occurrences counted as skipped that passed since the last.
    /// </summary>
    public static ManagedState Counted(TaskDefinition task, ManagedState state, DateTimeOffset now) =>
        state.Occurrence is { } occurrence
            ? state with { Skipped = state.Skipped + Passed(task, occurrence, now).Count }
            : state;

    // The occurrence of a run that has none, since it was queued at its creation or imported: when it was queued.
    private static DateTimeOffset? Last(ManagedState state) => state.Occurrence ?? state.QueuedAt;

    private static DateTimeOffset Greater(DateTimeOffset? last, DateTimeOffset time) => last > time ? last.Value : time;

    private static List<DateTimeOffset> Passed(TaskDefinition task, DateTimeOffset after, DateTimeOffset until)
    {
        var passed = new List<DateTimeOffset>();
        if (after >= until)
        {
            return passed;
        }

        try
        {
            var schedule = Read(task);
            for (var next = Following(task, schedule, after); next <= until
                && passed.Count < MostCounted; next = Following(task, schedule, next.Value))
            {
                passed.Add(next.Value);
            }
        }
        catch (FormatException)
        {
            // Plan reports the error when it computes the next occurrence. It does not delay the run that is due.
        }

        return passed;
    }

    /// <summary>
    /// The schedule's first occurrence after a time. An occurrence that is not later would be due at once, again and
    /// again: it is an error of the schedule and does not begin a run.
    /// </summary>
    private static DateTimeOffset? Following(
        TaskDefinition task, Func<DateTimeOffset, DateTimeOffset?> schedule, DateTimeOffset after)
    {
        var next = schedule(after);
        return next <= after
            ? throw new FormatException(string.Create(
                CultureInfo.InvariantCulture,
                $"cron \"{task.Cron}\" in {task.CronTimeZone ?? "UTC"} gives {next:u} as the occurrence after "
                    + $"{after:u}; it must be later."))
            : next;
    }

    private static Func<DateTimeOffset, DateTimeOffset?> Read(TaskDefinition task) =>
        CronSchedule.Parse(task.Cron!, task.CronTimeZone).Next;
}
