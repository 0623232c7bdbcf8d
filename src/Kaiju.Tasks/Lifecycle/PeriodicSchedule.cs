using System.Globalization;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// Which occurrence of a periodic task comes next, which one a run stands for, and which ones were left out. The
/// greatest occurrence so far decides, whether it ran or was cancelled: <see cref="ManagedState.Occurrence"/> never
/// decreases, and the schedule continues after it.
/// </summary>
internal static class PeriodicSchedule
{
    // A task that ran each second and was away for a day is told as "at least so many"; counting more would only cost
    // time.
    private const int MostCounted = 10_000;

    /// <summary>
    /// The state of a task at rest that waits for its next occurrence; null if the schedule has none left. If the
    /// schedule is wrong on this machine, such as in a time zone that it does not know, the task rests and says why,
    /// instead of standing first in every manager's way.
    /// </summary>
    public static ManagedState? Plan(TaskDefinition task, ManagedState state, DateTimeOffset now) =>
        Plan(task, state, now, Read);

    /// <summary>The same by another reading of schedules.</summary>
    /// <param name="task">The definition.</param>
    /// <param name="state">The state.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="read">Gives what finds a schedule's first occurrence after a time.</param>
    internal static ManagedState? Plan(
        TaskDefinition task,
        ManagedState state,
        DateTimeOffset now,
        Func<TaskDefinition, Func<DateTimeOffset, DateTimeOffset?>> read)
    {
        try
        {
            // After now, so that what was missed is not made up for.
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
    /// The state of a run that is due: what it stands for, and without the occurrences that the rules leave out.
    /// </summary>
    public static ManagedState Due(TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        var occurrence = Waited(state, now);
        if (rules.MissedRuns == MissedRuns.RunOnce)
        {
            return state with { Occurrence = occurrence };
        }

        var passed = Passed(task, occurrence, now);
        return passed.Count == 0
            ? state with { Occurrence = occurrence }
            : state with { Occurrence = passed[^1], Skipped = state.Skipped + passed.Count };
    }

    /// <summary>
    /// What a task that waits stands for: the time that it waits for. A run that was started earlier than that, by a
    /// reset or another task, or that begins after the clock was put back, stands for the last occurrence once more.
    /// </summary>
    public static DateTimeOffset Waited(ManagedState state, DateTimeOffset now) =>
        Greater(Last(state), state.NextRun ?? now);

    /// <summary>The state of the next run, with the occurrences counted that passed since the last one.</summary>
    public static ManagedState Counted(TaskDefinition task, ManagedState state, DateTimeOffset now) =>
        state.Occurrence is { } occurrence
            ? state with { Skipped = state.Skipped + Passed(task, occurrence, now).Count }
            : state;

    // A run without an occurrence, queued at its creation or imported, stands for the time at which it was queued.
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
            // Said when the next occurrence is asked for; the run that is due is not held up by it.
        }

        return passed;
    }

    /// <summary>
    /// The one place where a schedule is asked. An occurrence that is not later than the time asked about would be due
    /// at once, again and again: it is an error of the schedule and never a run.
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
