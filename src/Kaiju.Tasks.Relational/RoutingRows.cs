using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// The stored announcements, pauses and holds. A change of an announcement or of a pause decides the holds in the same
/// step (<see cref="TaskRouting"/>), one step at a time.
/// </summary>
internal static class RoutingRows
{
    private static readonly Column<KeyValuePair<(string AppName, string Method), TaskHold>>[] _holdColumns =
    [
        new("app", ColumnType.Text, hold => hold.Key.AppName),
        new("method", ColumnType.Text, hold => hold.Key.Method),
        new("hold", ColumnType.Integer, hold => (int)hold.Value),
    ];

    /// <summary>Stores what an executor announces, unless it is stored already.</summary>
    public static async ValueTask<bool> AnnounceAsync(SqlStep step, ExecutorInfo executor)
    {
        await LockAsync(step).ConfigureAwait(false);
        var now = await step.NowAsync().ConfigureAwait(false);
        var isNew = await step.ExecuteAsync(
            "announce",
            Argument.Text("executor", executor.Id),
            Argument.Text("version", executor.Version),
            Argument.Text("host", executor.Host),
            Argument.Long("announced", Ticks.Of(now))).ConfigureAwait(false) > 0;
        if (isNew)
        {
            await step.ExecuteAsync(
                "announce_commands",
                Argument.Text("executor", executor.Id),
                Argument.Texts("apps", executor.Apps.Distinct()),
                Argument.Texts("methods", executor.Commands!.Prepend("").Distinct())).ConfigureAwait(false);
            await DecideAsync(step, now).ConfigureAwait(false);
        }

        return isNew;
    }

    /// <summary>True if an executor's announcement is stored, or it has none.</summary>
    public static async ValueTask<bool> IsAnnouncedAsync(SqlStep step, ExecutorInfo executor) =>
        executor.Commands is null || (await step.QueryAsync(
            "is_announced",
            row => row.GetBoolean(0),
            Argument.Text("executor", executor.Id)).ConfigureAwait(false))[0];

    /// <summary>Removes the announcements of executors that are not known any more.</summary>
    public static async ValueTask ForgetAsync(SqlStep step)
    {
        await LockAsync(step).ConfigureAwait(false);
        if (await step.ExecuteAsync("forget_announcements").ConfigureAwait(false) > 0)
        {
            await step.ExecuteAsync("forget_commands").ConfigureAwait(false);
            await DecideAsync(step, await step.NowAsync().ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <summary>Stores a pause in place of an earlier one of the same app and method.</summary>
    public static async ValueTask PauseAsync(SqlStep step, TaskPause pause, string? actor)
    {
        await LockAsync(step).ConfigureAwait(false);
        var now = await step.NowAsync().ConfigureAwait(false);
        await step.ExecuteAsync(
            "pause",
            Argument.Text("app", pause.AppName ?? ""),
            Argument.Text("method", pause.Method ?? ""),
            Argument.Text("reason", pause.Reason),
            Argument.Long("until", Ticks.Of(pause.Until)),
            Argument.Long("since", Ticks.Of(now)),
            Argument.Text("actor", actor)).ConfigureAwait(false);
        await DecideAsync(step, now).ConfigureAwait(false);
    }

    /// <summary>Removes a pause; false if there is none.</summary>
    public static async ValueTask<bool> ResumeAsync(SqlStep step, string? appName, string? method)
    {
        await LockAsync(step).ConfigureAwait(false);
        if (await step.ExecuteAsync(
            "resume",
            Argument.Text("app", appName ?? ""),
            Argument.Text("method", method ?? "")).ConfigureAwait(false) == 0)
        {
            return false;
        }

        await DecideAsync(step, await step.NowAsync().ConfigureAwait(false)).ConfigureAwait(false);
        step.Hint(StoreHintKinds.Queued, appName, "");
        return true;
    }

    /// <summary>Removes the pauses that are over.</summary>
    public static async ValueTask EndPausesAsync(SqlStep step)
    {
        var now = await step.NowAsync().ConfigureAwait(false);
        var at = Argument.Long("at", Ticks.Of(now));
        if ((await step.QueryAsync("has_over_pauses", row => row.GetBoolean(0), at).ConfigureAwait(false))[0])
        {
            await LockAsync(step).ConfigureAwait(false);
            await step.ExecuteAsync("end_pauses", at).ConfigureAwait(false);
            await DecideAsync(step, now).ConfigureAwait(false);
        }
    }

    /// <summary>The stored pauses, by app, then by method.</summary>
    public static ValueTask<List<TaskPause>> ListPausesAsync(SqlStep step) => step.QueryAsync("list_pauses", ReadPause);

    private static async ValueTask LockAsync(SqlStep step)
    {
        if (step.Sql.All.ContainsKey("lock_routing"))
        {
            await step.QueryAsync("lock_routing", row => row.GetInt32(0)).ConfigureAwait(false);
        }
    }

    /// <summary>Decides all holds, stores those that have changed, and has the common queue looked through.</summary>
    private static async ValueTask DecideAsync(SqlStep step, DateTimeOffset now)
    {
        var known = await step.QueryAsync(
            "known_commands", row => (row.GetString(0), row.GetString(1), row.GetInt32(2))).ConfigureAwait(false);
        var pauses = await ListPausesAsync(step).ConfigureAwait(false);
        var decided = new TaskRouting(known, pauses, now).Holds;
        var stored = (await step.QueryAsync(
            "list_holds",
            row => ((row.GetString(0), row.GetString(1)), (TaskHold)row.GetInt32(2))).ConfigureAwait(false))
            .ToDictionary(hold => hold.Item1, hold => hold.Item2);
        var put = decided.Where(hold => !stored.TryGetValue(hold.Key, out var other) || other != hold.Value).ToList();
        var left = stored.Where(hold => !decided.ContainsKey(hold.Key)).ToList();
        if (put.Count > 0)
        {
            await step.ExecuteEachAsync("put_holds", put, _holdColumns).ConfigureAwait(false);
        }

        if (left.Count > 0)
        {
            await step.ExecuteEachAsync("delete_holds", left, _holdColumns[..2]).ConfigureAwait(false);
        }

        step.Routes.Forget();
        if (put.Count + left.Count > 0)
        {
            await QueuePlace.Start(isChanged: true).StoreAsync(step).ConfigureAwait(false);
        }
    }

    private static TaskPause ReadPause(DbDataReader row) => new()
    {
        AppName = NameOf(row.GetString(0)),
        Method = NameOf(row.GetString(1)),
        Reason = row.TextOrNull(2),
        Until = row.TimeOrNull(3),
        Since = row.Time(4),
        Actor = row.TextOrNull(5),
    };

    private static string? NameOf(string stored) => stored.Length == 0 ? null : stored;
}
