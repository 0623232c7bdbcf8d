using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts.Conformance;

/// <summary>
/// One case: the tasks that it stores, the steps that it takes, and the expected result (conformance README, section
/// 4).
/// </summary>
internal sealed class TransitionCase(OpenedStore opened, TransitionVector vector)
{
    private readonly ITaskStore _store = opened.Store;
    private readonly Dictionary<string, string> _jobs = [];
    private readonly Dictionary<string, int> _dispatches = [];
    private readonly Dictionary<(string Task, string Executor, int Dispatch), ExecutorTask> _claims = [];
    private readonly List<string> _sent = [];
    private readonly List<bool> _returns = [];
    private readonly List<TaskRecord> _trace = [];
    private DateTimeOffset _now = TransitionVector.Start;

    public async Task PutInAsync()
    {
        var tasks = vector.Members("others").Append(("T", vector.Given.GetProperty("before")))
            .Select(item => Checked.Import(Read(item.Item1, item.Item2))).ToList();
        var executors = vector.Members("executors").Select(
            item => new ExecutorPing(item.Item1, TransitionVector.Time(item.Item2)!.Value))
            .ToList();

        foreach (var answer in await _store.ImportAsync(tasks, executors, default))
        {
            Assert.Equal(CreateResult.Created, answer.Result);
            var task = tasks.Single(task => task.Id == answer.TaskId);
            if (answer.Claim is { } claim)
            {
                _claims.Add((task.Id, task.ExecutorId!, 0), Held(task, claim));
            }
        }
    }

    public async Task PlayAsync()
    {
        foreach (var (number, step) in vector.Given.GetProperty("steps").EnumerateArray().Index())
        {
            await StepAsync(step, number);
            _trace.Add((await _store.GetAsync("T", default))!);
        }
    }

    public async Task CheckAsync()
    {
        Check("T", vector.Expected.GetProperty("after"), await _store.GetAsync("T", default));
        foreach (var (id, after) in vector.Members("others_after", vector.Expected))
        {
            Check(id, after, await _store.GetAsync(id, default));
        }

        Assert.Equal(vector.Expected.GetProperty("sent").EnumerateArray().Select(Describe), _sent);
        if (vector.Expected.TryGetProperty("returns", out var returns))
        {
            Assert.Equal(returns.EnumerateArray().Select(answer => answer.GetBoolean()), _returns);
        }

        if (vector.Expected.TryGetProperty("executors_after", out var executors))
        {
            Assert.Equal(
                executors.EnumerateArray().Select(executor => executor.GetString()!).Order(StringComparer.Ordinal),
                (await _store.ListExecutorsAsync(default)).Select(executor => executor.ExecutorId)
                    .Order(StringComparer.Ordinal));
        }

        await CheckNotificationsAsync();
        foreach (var expected in vector.Expected.TryGetProperty("trace", out var trace)
            ? trace.EnumerateArray()
            : default)
        {
            Check("T", expected, _trace[expected.GetProperty("step").GetInt32()], isWhole: false);
        }
    }

    private async Task StepAsync(JsonElement step, int number)
    {
        switch (step.GetProperty("op").GetString())
        {
            case "cycle":
                await CycleAsync(number);
                break;
            case "advance":
                _now = await opened.Advance(TimeSpan.FromSeconds(step.GetProperty("seconds").GetDouble()));
                break;
            case "ping":
                await _store.HeartbeatAsync(Executor(step), [], default);
                break;
            case "suspend_executor":
                await _store.SuspendExecutorAsync(Executor(step).Id, default);
                break;
            case "execute_stage":
                await _store.HeartbeatAsync(Executor(step), [], default);
                await ClaimAsync(step);
                break;
            case "write_stage":
                await ReportAsync(step, step.GetProperty("error").GetBoolean()
                    ? StageOutcome.Failed(TaskError.FromJson(step.GetProperty("result")))
                    : StageOutcome.Completed(step.GetProperty("result")));
                break;
            case "wait_for_timer":
                await ReportAsync(
                    step, StageOutcome.WaitFor(TimeSpan.FromSeconds(step.GetProperty("timer").GetDouble())));
                break;
            case "wait_for_message":
                await ReportAsync(step, StageOutcome.WaitForMessage());
                break;
            case "write_message":
                _returns.Add(
                    await _store.SendMessageAsync(
                        step.GetProperty("task").GetString()!, step.GetProperty("data"), default));
                break;
            case "reset_task":
                _returns.Add(await _store.ResetAsync(step.GetProperty("task").GetString()!, default));
                break;
            case "delete_old_tasks":
                var age = TimeSpan.FromDays(step.GetProperty("interval_days").GetDouble());
                await _store.DeleteEndedAsync(TaskState.Finished, age, 1000, default);
                await _store.DeleteEndedAsync(TaskState.Failed, age, 1000, default);
                break;
            default:
                throw new NotSupportedException(step.GetRawText());
        }
    }

    private async Task CycleAsync(int number)
    {
        var queued = (await TickAsync()).Where(move => move.To == TaskState.Queued).Select(move => move.TaskId)
            .ToHashSet();
        foreach (var task in (await _store.ListAsync(
            new TaskQuery { State = TaskState.Queued },
            null,
            100,
            default)).Items.Where(task => queued.Contains(task.Id)))
        {
            _dispatches[task.Id] = _dispatches.GetValueOrDefault(task.Id) + 1;
            var methods = string.Join(",", task.Definition.Commands.Skip(task.Stage).Select(command => command.Method));
            _sent.Add(
                $"{task.Id} {number} {methods} {task.Stage}/{task.Stages} "
                    + $"[{string.Join(",", task.Result.Select(TransitionVector.Plain))}] {task.ExecDeadline:O} "
                    + $"{Job(task)}");
        }
    }

    /// <summary>A manager's tick, duty by duty; returns the moved tasks.</summary>
    private async Task<IReadOnlyList<TaskMove>> TickAsync() =>
    [
        .. await _store.ExpelDeadExecutorsAsync(100, default),
        .. await _store.AbortOverdueAsync(100, default),
        .. await _store.RestartPeriodicAsync(100, default),
        .. await _store.WakeWaitsAsync(100, default),
        .. await _store.QueueDueAsync(100, default),
        .. await _store.RequeueFailedAsync(100, default),
    ];

    // A report that is not from the current dispatch has a claim that was never given.
    private async Task ReportAsync(JsonElement step, StageOutcome outcome)
    {
        var key = Key(step);
        if (!_claims.ContainsKey(key) && (await _store.GetAsync(key.Task, default))!.State == TaskState.Queued)
        {
            await ClaimAsync(step);
        }

        var claim = _claims.TryGetValue(key, out var held) ? held.Claim : Guid.Empty;
        await _store.RecordAsync(
            [
                new StageReport
                {
                    TaskId = key.Task,
                    StoreKey = held?.StoreKey ?? 0,
                    Claim = claim,
                    JobId = held?.JobId ?? "",
                    Attempt = 1,
                    Stage = step.GetProperty("stage").GetInt32(),
                    Outcome = outcome,
                },
            ],
            default);
    }

    private async Task ClaimAsync(JsonElement step)
    {
        var key = Key(step);
        if (key.Dispatch == _dispatches.GetValueOrDefault(key.Task)
            && await _store.ClaimAsync(Executor(step), [key.Task], default) is [var claimed])
        {
            _claims[key] = claimed;
        }
    }

    private void Check(string id, JsonElement after, TaskRecord? task, bool isWhole = true)
    {
        if (after.ValueKind == JsonValueKind.Null)
        {
            Assert.True(task is null, $"{id} is deleted");
            return;
        }

        var actual = Json.Of(task!.ToJson());
        var before = isWhole ? vector.Before(id) : default;
        foreach (var member in after.EnumerateObject().Where(member => member.Name != "step"))
        {
            if (member.Name == "error" && member.Value.ValueKind == JsonValueKind.Null
                && task.ExitCode == TaskExitCode.Aborted)
            {
                // A port gives a reason of its own for the abort; only the exit code is compared.
                continue;
            }

            if (member.Name == "job_id" && member.Value.GetString() == "<new>")
            {
                Assert.NotEqual($"job-{id}", task.JobId);
            }
            else
            {
                Same(
                    $"{member.Name} of {id}",
                    TransitionVector.Plain(TransitionVector.Absolute(member.Value)),
                    TransitionVector.Plain(actual.GetProperty(member.Name)));
            }
        }

        // Members that the vector does not name must not change.
        foreach (var name in isWhole
            ? new[]
            {
                "queued_at", "exec_deadline", "wait_deadline", "next_run", "status_change", "job_id", "kws", "enabled",
                "cron", "created",
            }
            : [])
        {
            if (!after.TryGetProperty(name, out _) && !(name == "wait_deadline" && vector.WaitIsMadeUp(id)))
            {
                Same(
                    $"{name} of {id}",
                    TransitionVector.Plain(TransitionVector.Absolute(before.GetProperty(name))),
                    TransitionVector.Plain(actual.GetProperty(name)));
            }
        }
    }

    private async Task CheckNotificationsAsync()
    {
        var actual = (await _store.ListNotificationsAsync(new NotificationQuery(), null, 100, default)).Items
            .Reverse().Select(n => Json.Of(n.ToJson())).ToList();
        var expected = vector.Expected.TryGetProperty("notifications", out var notifications)
            ? notifications.EnumerateArray().ToList()
            : [];
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (notification, wanted) in actual.Zip(expected))
        {
            foreach (var member in wanted.EnumerateObject().Where(
                member => member.Name != "error" || member.Value.ValueKind != JsonValueKind.Null))
            {
                Same(
                    member.Name,
                    TransitionVector.Plain(member.Value),
                    TransitionVector.Plain(notification.GetProperty(member.Name)));
            }
        }
    }

    private static void Same(string what, string expected, string actual) =>
        Assert.True(expected == actual, $"{what} is {actual}; it should be {expected}.");

    private TaskRecord Read(string id, JsonElement fields)
    {
        _jobs[id] = $"job-{id}";
        return TaskRecord.FromJson(TransitionVector.Absolute(vector.Whole(id, fields)).GetRawText());
    }

    private string Describe(JsonElement sent) =>
        $"{sent.GetProperty("task").GetString()} {sent.GetProperty("step")} "
            + $"{string.Join(",", sent.GetProperty("methods").EnumerateArray().Select(method => method.GetString()))} "
        + $"{sent.GetProperty("stage")}/{sent.GetProperty("stages")} "
        + $"[{string.Join(",", sent.GetProperty("result").EnumerateArray().Select(TransitionVector.Plain))}] "
        + $"{TransitionVector.Time(sent.GetProperty("exec_deadline")):O} {sent.GetProperty("job_id").GetString()}";

    private string Job(TaskRecord task) => task.JobId == _jobs[task.Id] ? task.JobId : "<new>";

    private static ExecutorTask Held(TaskRecord task, Guid claim) => new()
    {
        Id = task.Id,
        AppName = task.Definition.AppName!,
        ExecutorId = task.ExecutorId!,
        Claim = claim,
        JobId = task.JobId,
        Commands = [],
    };

    private static ExecutorInfo Executor(JsonElement step) =>
        new()
        {
            Id = step.GetProperty("executor").GetString()!,
            AppName = "app",
            Apps = ["app"],
            Capacity = 10,
        };

    private static (string Task, string Executor, int Dispatch) Key(JsonElement step) =>
        (
            step.GetProperty("task").GetString()!,
            step.GetProperty("executor").GetString()!,
            step.GetProperty("dispatch").GetInt32());


}
