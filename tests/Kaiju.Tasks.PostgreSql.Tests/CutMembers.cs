using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>One case of a member of the ports that writes.</summary>
/// <param name="Arrange">The initial state, created beside the proxy.</param>
/// <param name="Act">The call through the proxy; its answer as a text.</param>
internal sealed record CutMember(Func<CutRig, Task> Arrange, Func<CutRig, Task<string>> Act);

/// <summary>Every member of the ports that writes. A name begins with that of the member.</summary>
internal static class CutMembers
{
    private static readonly ExecutorInfo _executor = CutRig.Executor;

    public static IReadOnlyDictionary<string, CutMember> All { get; } = new Dictionary<string, CutMember>
    {
        ["CreateAsync"] = new(
            _ => Task.CompletedTask, rig => CreateAsync(rig, OnConflict.Fail, Define("a"), Define("b", 2))),
        ["CreateAsync, known ids and the same id twice, skipping"] = new(
            rig => AddAsync(rig, Define("b")),
            rig => CreateAsync(rig, OnConflict.Skip, Define("a"), Define("b"), Define("a"), Define("c"))),
        ["CreateAsync, known ids and the same id twice"] = new(
            rig => AddAsync(rig, Define("b")),
            rig => CreateAsync(rig, OnConflict.Fail, Define("a"), Define("b"), Define("a"))),
        ["CreateAsync, for later"] = new(
            _ => Task.CompletedTask,
            rig => CreateAsync(rig, OnConflict.Fail, Later(rig, "a"), Later(rig, "a"), Define("b"))),
        ["CreateAsync, periodic"] = new(
            _ => Task.CompletedTask, rig => CreateAsync(rig, OnConflict.Fail, Periodic("a"))),
        ["CreateAsync, replacing"] = new(
            EndedAsync, rig => CreateAsync(rig, OnConflict.Replace, Define("a", 3), Define("b"))),
        ["CreateAsync, replacing a known id for later"] = new(
            EndedAsync, rig => CreateAsync(rig, OnConflict.Replace, Later(rig, "a"), Later(rig, "c"))),
        ["ImportAsync"] = new(rig => AddAsync(rig, Define("known")), ImportAsync),
        ["UpdateAsync"] = new(
            rig => AddAsync(rig, Define("a")),
            async rig => (await rig.Store.UpdateAsync(
                Define("a") with { Priority = 7, Description = "changed" }, 0, default)).Result.ToString()),
        ["UpdateAsync, stale"] = new(
            rig => AddAsync(rig, Define("a")),
            async rig =>
                (await rig.Store.UpdateAsync(Define("a") with { Priority = 7 }, 3, default)).Result.ToString()),
        ["DeleteAsync"] = new(EndedAsync, async rig => (await rig.Store.DeleteAsync("a", default)).ToString()),
        ["DeleteAsync, missing"] = new(EndedAsync, async rig => (await rig.Store.DeleteAsync("x", default)).ToString()),
        ["DeleteEndedAsync"] = new(
            async rig =>
            {
                await AddAsync(rig, Define("a"), Define("b"), Define("c"));
                foreach (var id in new[] { "a", "b", "c" })
                {
                    await rig.Beside.CancelAsync(id, default);
                }

                rig.Advance(TimeSpan.FromHours(1));
            },
            async rig => string.Join(
                ' ', await rig.Store.DeleteEndedAsync(TaskState.Failed, TimeSpan.FromMinutes(1), 2, default))),
        ["ResetAsync"] = new(EndedAsync, async rig => (await rig.Store.ResetAsync("a", default)).ToString()),
        ["ResetAsync, running"] = new(ClaimedAsync, async rig => (await rig.Store.ResetAsync("a", default)).ToString()),
        ["CancelAsync"] = new(ClaimedAsync, async rig => (await rig.Store.CancelAsync("a", default)).ToString()),
        ["CancelAsync, ended"] = new(EndedAsync, async rig => (await rig.Store.CancelAsync("a", default)).ToString()),
        ["RetryAsync"] = new(
            async rig =>
            {
                await ClaimedAsync(rig);
                await rig.Beside.CancelAsync("a", default);
            },
            async rig => (await rig.Store.RetryAsync("a", default)).ToString()),
        ["RetryAsync, of a run that is archived"] = new(
            async rig =>
            {
                await AddAsync(rig, Periodic("a"));
                await rig.Beside.CancelAsync("a", default);
                await rig.Beside.RestartPeriodicAsync(1, default);
            },
            async rig => (await rig.Store.RetryAsync("a", default)).ToString()),
        ["RetryAsync, with changes"] = new(
            async rig =>
            {
                await AddAsync(rig, Define("a", 2));
                await RecordAsync(rig, await ClaimAsync(rig, "a"), 0, StageOutcome.Completed(Json("1")));
                await rig.Beside.CancelAsync("a", default);
            },
            async rig => (await rig.Store.RetryAsync(
                "a", new RetryChange { Kws = Json("{}") }, CallContext.Empty, default)).ToString()),
        ["RetryAsync, running"] = new(
            ClaimedAsync, async rig => (await rig.Store.RetryAsync("a", default)).ToString()),
        ["ChangeManyAsync, retrying"] = new(
            CancelledAsync, rig => ChangeManyAsync(rig, BulkVerb.Retry)),
        ["ChangeManyAsync, cancelling"] = new(
            async rig =>
            {
                await ClaimedAsync(rig);
                rig.Advance(TimeSpan.FromSeconds(1));
            },
            rig => ChangeManyAsync(rig, BulkVerb.Cancel)),
        ["ChangeManyAsync, deleting"] = new(
            CancelledAsync, rig => ChangeManyAsync(rig, BulkVerb.Delete)),
        ["SendMessageAsync"] = new(
            rig => WaitingAsync(rig, StageOutcome.WaitForMessage()),
            async rig => (await rig.Store.SendMessageAsync("a", Json("\"hello\""), default)).ToString()),
        ["PauseAsync"] = new(
            _ => Task.CompletedTask,
            async rig =>
            {
                var pause = new TaskPause { Method = "do", Reason = "a test" };
                return (await rig.Store.PauseAsync(pause, CallContext.Empty, default)).ToString();
            }),
        ["ResumeAsync"] = new(
            rig => PausedAsync(rig, "do"),
            async rig => (await rig.Store.ResumeAsync(null, "do", CallContext.Empty, default)).ToString()),
        ["RepairHoldsAsync"] = new(
            async rig =>
            {
                await AddAsync(rig, Define("a"), Define("b"));
                await PausedAsync(rig, "do");
            },
            async rig =>
            {
                // The number of an answer that was lost is lost with it.
                while ((await rig.Store.RepairHoldsAsync(1, default)).HasMore)
                {
                }

                return "";
            }),
        ["WatchAsync"] = new(
            _ => Task.CompletedTask,
            async rig => (await rig.Store.WatchAsync(default)).FirstPing is null ? "nobody" : "somebody"),
        ["ExpelDeadExecutorsAsync"] = new(DeadAsync, async rig => await CarryAsync(rig.Store.ExpelDeadExecutorsAsync)),
        ["AbortOverdueAsync"] = new(DeadAsync, async rig => await CarryAsync(rig.Store.AbortOverdueAsync)),
        ["RestartPeriodicAsync"] = new(
            async rig =>
            {
                await AddAsync(rig, Periodic("a"), Periodic("b"));
                await rig.Beside.CancelAsync("a", default);
                await rig.Beside.CancelAsync("b", default);
            },
            rig => CarryAsync(rig.Store.RestartPeriodicAsync)),
        ["WakeWaitsAsync"] = new(
            async rig =>
            {
                await WaitingAsync(rig, StageOutcome.WaitFor(TimeSpan.FromMinutes(1)));
                rig.Advance(TimeSpan.FromHours(1));
            },
            rig => CarryAsync(rig.Store.WakeWaitsAsync)),
        ["QueueDueAsync"] = new(
            async rig =>
            {
                await AddAsync(rig, Later(rig, "a"), Later(rig, "b"), Periodic("p"));
                rig.Advance(TimeSpan.FromDays(2));
            },
            rig => CarryAsync(rig.Store.QueueDueAsync)),
        ["RequeueFailedAsync"] = new(
            async rig =>
            {
                await AddAsync(rig, Define("a") with { MaxRetries = 3, RetryDelay = TimeSpan.FromSeconds(1) });
                await RecordAsync(rig, await ClaimAsync(rig, "a"), 0, StageOutcome.Failed(Error()));
                rig.Advance(TimeSpan.FromHours(1));
            },
            rig => CarryAsync(rig.Store.RequeueFailedAsync)),
        ["ClaimAsync, of the store"] = new(
            async rig =>
            {
                await AddAsync(rig, Define("a"), Define("b", 2), Define("c"));
                await rig.Beside.CancelAsync("c", default);
            },
            async rig => string.Join(
                ' ',
                (await rig.Store.ClaimAsync(_executor, ["a", "b", "c"], default)).Select(
                    task => $"{task.Id}/{task.Stage}/{task.Attempt}"))),
        ["RecordAsync, results"] = new(
            ClaimedAsync, async rig => await RecordAsync(rig, ["a", "b"], StageOutcome.Completed(Json("1")))),
        ["RecordAsync, last results"] = new(
            async rig =>
            {
                await AddAsync(
                    rig,
                    Define("a") with { Notify = true, UserId = "u" },
                    Periodic("b") with { RunAt = rig.Now(), Notify = true });
                await rig.Beside.ClaimAsync(_executor, ["a", "b"], default);
            },
            async rig => await RecordAsync(rig, ["a", "b"], StageOutcome.Completed(Json("1")))),
        ["RecordAsync, a last result that starts the next task"] = new(
            async rig =>
            {
                await EndedAsync(rig);
                await AddAsync(rig, Define("x") with { NextTask = "a", Notify = true });
                await ClaimAsync(rig, "x");
            },
            async rig => await RecordAsync(rig, ["x"], StageOutcome.Completed(Json("1")))),
        ["RecordAsync, failures"] = new(
            async rig =>
            {
                await AddAsync(
                    rig, Define("a") with { MaxRetries = 2, Notify = true }, Define("b") with { Notify = true });
                await rig.Beside.ClaimAsync(_executor, ["a", "b"], default);
            },
            async rig => await RecordAsync(rig, ["a", "b"], StageOutcome.Failed(Error()))),
        ["RecordAsync, waits"] = new(
            ClaimedAsync, async rig => await RecordAsync(rig, ["a"], StageOutcome.WaitFor(TimeSpan.FromMinutes(1)))),
        ["HeartbeatAsync"] = new(
            ClaimedAsync,
            async rig =>
            {
                // Its connection exists already.
                var own = await HeldAsync(rig, "a");
                await rig.Store.FindLostClaimsAsync([own], default);
                var lost = await rig.Store.HeartbeatAsync(_executor, [own, new HeldClaim("b", Guid.Empty)], default);
                return string.Join(' ', lost);
            }),
        ["GiveBackStrayClaimsAsync"] = new(
            ClaimedAsync,
            async rig =>
            {
                var known = await HeldAsync(rig, "a");
                return await CarryAsync((_, stop) => rig.Store.GiveBackStrayClaimsAsync(_executor.Id, [known], stop));
            }),
        ["GiveBackClaimsAsync"] = new(
            ClaimedAsync,
            async rig =>
            {
                var stray = await HeldAsync(rig, "a");
                return await CarryAsync((_, stop) => rig.Store.GiveBackClaimsAsync(_executor.Id, [stray], stop));
            }),
        ["SuspendExecutorAsync"] = new(
            ClaimedAsync, rig => CarryAsync((_, stop) => rig.Store.SuspendExecutorAsync(_executor.Id, stop))),
        ["MarkReadAsync"] = new(
            async rig =>
            {
                await NotifiedAsync(rig);
                await rig.Beside.MarkReadAsync([(await NotesAsync(rig))[0]], default);
            },
            async rig => (await rig.Store.MarkReadAsync(await NotesAsync(rig), default)).ToString(
                System.Globalization.CultureInfo.InvariantCulture)),
        ["MarkDeliveredAsync"] = new(
            NotifiedAsync,
            async rig =>
            {
                await rig.Store.MarkDeliveredAsync(await NotesAsync(rig), default);
                return "";
            }),
        ["DeleteNotificationsAsync"] = new(
            async rig =>
            {
                await NotifiedAsync(rig);
                rig.Advance(TimeSpan.FromHours(1));
            },
            async rig => (await rig.Store.DeleteNotificationsAsync(TimeSpan.FromMinutes(1), 2, default)).ToString(
                System.Globalization.CultureInfo.InvariantCulture)),
    };

    private static Task PausedAsync(CutRig rig, string method) =>
        rig.Beside.PauseAsync(new TaskPause { Method = method }, CallContext.Empty, default).AsTask();

    public static TaskDefinition Define(string id, int stages = 1) => PostgreSqlFaultTests.Definition(id, stages);

    public static TaskDefinition Periodic(string id) => Define(id) with { Cron = "0 * * * *" };

    public static TaskDefinition Later(CutRig rig, string id) => Define(id) with { RunAt = rig.Now().AddDays(1) };

    public static JsonElement Json(string json) => JsonElement.Parse(json);

    public static TaskError Error() => TaskError.Create(TaskErrorKind.Handler, "boom");

    public static async Task AddAsync(CutRig rig, params TaskDefinition[] tasks) =>
        await rig.Beside.CreateAsync(tasks, OnConflict.Fail, default);

    public static async Task<ExecutorTask> ClaimAsync(CutRig rig, string id) =>
        (await rig.Beside.ClaimAsync(_executor, [id], default))[0];

    public static async Task<ReportAnswer> RecordAsync(
        CutRig rig, ExecutorTask task, int stage, StageOutcome outcome) =>
        (await rig.Beside.RecordAsync([Report(task, stage, outcome)], default))[0];

    public static StageReport Report(ExecutorTask task, int stage, StageOutcome outcome) => new()
    {
        TaskId = task.Id,
        StoreKey = task.StoreKey,
        Claim = task.Claim,
        JobId = task.JobId,
        Attempt = task.Attempt,
        Stage = stage,
        Outcome = outcome,
    };

    /// <summary>Two tasks of two stages, EXECUTED.</summary>
    public static async Task ClaimedAsync(CutRig rig)
    {
        await AddAsync(rig, Define("a", 2), Define("b", 2));
        await rig.Beside.HeartbeatAsync(_executor, [], default);
        await rig.Beside.ClaimAsync(_executor, ["a", "b"], default);
    }

    /// <summary>The first of three stages waits.</summary>
    public static async Task WaitingAsync(CutRig rig, StageOutcome outcome)
    {
        await AddAsync(rig, Define("a", 3));
        await RecordAsync(rig, await ClaimAsync(rig, "a"), 0, outcome);
    }

    /// <summary>A task with a result and a notification, FINISHED.</summary>
    public static async Task EndedAsync(CutRig rig)
    {
        await AddAsync(rig, Define("a") with { Notify = true });
        await RecordAsync(rig, await ClaimAsync(rig, "a"), 0, StageOutcome.Completed(Json("1")));
    }

    private static async Task CancelledAsync(CutRig rig)
    {
        await AddAsync(rig, Define("a"), Define("b"), Define("c"), Define("d"));
        await rig.Beside.CancelAsync("a", default);
        await rig.Beside.CancelAsync("c", default);
        rig.Advance(TimeSpan.FromSeconds(1));
    }

    /// <summary>Changes the tasks of every state, two at a time.</summary>
    private static async Task<string> ChangeManyAsync(CutRig rig, BulkVerb verb)
    {
        var (matched, done) = (0, 0);
        var answer = default(BulkAnswer?);
        do
        {
            var request = new BulkRequest
            {
                Verb = verb,
                Query = new TaskQuery { IdPrefix = "" },
                After = answer?.Next,
                Started = answer?.Started,
                Limit = 2,
            };
            var step = await rig.Store.ChangeManyAsync(request, default);
            (matched, done, answer) = (matched + step.Matched, done + step.Done, step);
        }
        while (answer?.Next is not null);
        return $"{done} of {matched}";
    }

    private static async Task DeadAsync(CutRig rig)
    {
        await ClaimedAsync(rig);
        rig.Advance(TimeSpan.FromDays(30));
    }

    private static async Task NotifiedAsync(CutRig rig)
    {
        foreach (var id in new[] { "a", "b", "c" })
        {
            await AddAsync(rig, Define(id) with { Notify = true, UserId = "u" });
            await rig.Beside.CancelAsync(id, default);
        }
    }

    private static async Task<IReadOnlyList<long>> NotesAsync(CutRig rig) =>
        [.. (await rig.Beside.ListNotificationsAsync(
            new NotificationQuery(), null, 100, default)).Items.Select(left => left.Id)];

    public static async Task<HeldClaim> HeldAsync(CutRig rig, string id) =>
        new(
            id,
            await rig.AskAsync<Guid>(
                $"select s.claim from [states] s join [tasks] t using (task_no) where t.id = '{id}'"));

    private static async Task<string> CreateAsync(CutRig rig, OnConflict onConflict, params TaskDefinition[] tasks) =>
        string.Join(
            ' ',
            (await rig.Store.CreateAsync(tasks, onConflict, default)).Select(
                answer => $"{answer.TaskId}/{answer.Result}/{answer.State}"));

    private static async Task<string> CarryAsync(Func<int, CancellationToken, ValueTask<IReadOnlyList<TaskMove>>> carry)
    {
        // A duty whose answer was lost does not list its moved tasks again; hints and polling cover them.
        await carry(100, default);
        return "";
    }

    private static async Task<string> RecordAsync(CutRig rig, string[] ids, StageOutcome outcome)
    {
        var reports = new List<StageReport>();
        foreach (var id in ids)
        {
            var task = (await rig.Beside.GetAsync(id, default))!;
            reports.Add(new StageReport
            {
                TaskId = id,
                StoreKey = await rig.AskAsync<long>($"select task_no from [tasks] where id = '{id}'"),
                Claim = (await HeldAsync(rig, id)).Claim,
                JobId = task.JobId,
                Attempt = task.Managed.Attempt,
                Stage = task.Stage,
                Outcome = outcome,
            });
        }

        return string.Join(' ', await rig.Store.RecordAsync(reports, default));
    }

    private static async Task<string> ImportAsync(CutRig rig)
    {
        var now = rig.Now();
        TaskRecord Record(string id, TaskState state, IReadOnlyList<JsonElement> results) => new()
        {
            Definition = Define(id, 2),
            Created = now,
            Result = results,
            Managed = new ManagedState
            {
                State = state,
                JobId = $"job {id}",
                ResultRun = $"job {id}",
                QueuedAt = now,
                StatusChange = now,
                Stage = results.Count,
                ExecutorId = state == TaskState.Executing ? "elsewhere" : null,
            },
        };
        TaskRecord[] tasks = [
            Record("a", TaskState.Executing, [Json("1")]),
            Record("known", TaskState.Queued, []),
            Record("a", TaskState.Queued, []),
            Record("q", TaskState.Queued, [])];
        var answers = await rig.Store.ImportAsync(tasks, [new ExecutorPing("elsewhere", now)], default);
        var held = await HeldAsync(rig, "a");
        return string.Join(
            ' ',
            answers.Select(
                answer => $"{answer.TaskId}/{answer.Result}/"
                    + (answer.Claim is null ? "none" : answer.Claim == held.Claim ? "its claim" : "another claim")));
    }
}
