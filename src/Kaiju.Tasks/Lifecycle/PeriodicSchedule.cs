using Kaiju.Tasks.Scheduling;

namespace Kaiju.Tasks.Lifecycle;

/// <summary>Which occurrence of a periodic task comes next, which one a run stands for, and which ones were left out.</summary>
internal static class PeriodicSchedule
{
    // A task that ran each second and was away for a day is told as "at least so many"; counting more would only cost time.
    private const int MostCounted = 10_000;

    /// <summary>The occurrence after the run that has ended; null if there is none.</summary>
    /// <exception cref="FormatException">The schedule cannot be read on this machine.</exception>
    public static DateTimeOffset? Next(TaskDefinition task, ManagedState state, DateTimeOffset now)
    {
        // Behind now, so that what was missed is not made up for. Behind the last occurrence, so that one that was cancelled before it
        // was due is left out, and a clock that was put back repeats none.
        var after = state.Occurrence > now ? state.Occurrence.Value : now;
        return CronSchedule.Parse(task.Cron!, task.CronTimeZone).Next(after);
    }

    /// <summary>The state of a run that is due: what it stands for, and without the occurrences that the rules leave out.</summary>
    public static ManagedState Due(TaskDefinition task, ManagedState state, DateTimeOffset now, LifecycleRules rules)
    {
        var occurrence = state.NextRun ?? now;
        if (rules.MissedRuns == MissedRuns.RunOnce)
        {
            return state with { Occurrence = occurrence };
        }

        var passed = Passed(task, occurrence, now);
        return passed.Count == 0
            ? state with { Occurrence = occurrence }
            : state with { Occurrence = passed[^1], Skipped = state.Skipped + passed.Count };
    }

    /// <summary>The state of the next run, with the occurrences counted that passed since the last one.</summary>
    public static ManagedState Counted(TaskDefinition task, ManagedState state, DateTimeOffset now) =>
        state.Occurrence is { } occurrence ? state with { Skipped = state.Skipped + Passed(task, occurrence, now).Count } : state;

    private static List<DateTimeOffset> Passed(TaskDefinition task, DateTimeOffset after, DateTimeOffset until)
    {
        var passed = new List<DateTimeOffset>();
        if (CronSchedule.TryParse(task.Cron!, task.CronTimeZone) is not { } schedule)
        {
            // Said when the next occurrence is asked for; the run that is due is not held up by it.
            return passed;
        }

        for (var next = schedule.Next(after); next <= until && passed.Count < MostCounted; next = schedule.Next(next.Value))
        {
            passed.Add(next.Value);
        }

        return passed;
    }
}
