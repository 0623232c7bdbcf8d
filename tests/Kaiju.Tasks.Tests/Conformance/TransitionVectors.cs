using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Conformance;

/// <summary>The recorded transitions of the Python original, driven through the store's ports.</summary>
public sealed class TransitionVectors
{
    public static TheoryData<string> Names => ConformanceData.Transitions.Names;

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Conformance")]
    public async Task A_task_goes_from_before_to_after(string name)
    {
        if (!ConformanceData.Transitions.TryGet(name, out var vector) || ConformanceData.IsInformational(vector))
        {
            return;
        }

        await using var run = new TransitionCase(vector, ConformanceData.Transitions.Root.GetProperty("defaults"));
        await run.PutInAsync();
        await run.PlayAsync();
        await run.CheckAsync();
    }
}

/// <summary>One case: what it puts in, what it does, and what must have come of it (conformance README, section 4).</summary>
internal sealed class TransitionCase(JsonElement vector, JsonElement defaults) : IAsyncDisposable
{
    private readonly TaskTestHost _host = new(configure: options =>
    {
        options.AbortOverdueQueued = true;
        options.SuspendedLifetime = TimeSpan.FromHours(24);
    });

    private readonly JsonElement _expected = ConformanceData.Expected(vector);
    private readonly Dictionary<string, string> _jobs = [];
    private readonly Dictionary<string, int> _dispatches = [];
    private readonly Dictionary<(string Task, string Executor, int Dispatch), ExecutorTask> _claims = [];
    private readonly List<string> _sent = [];
    private readonly List<bool> _returns = [];
    private readonly List<TaskRecord> _trace = [];

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    public async Task PutInAsync()
    {
        var checker = _host.Services.GetRequiredService<TaskDefinitionChecker>();
        var tasks = Members("others").Append(("T", vector.GetProperty("before"))).Select(item => checker.PrepareImport(Read(item.Item1, item.Item2))).ToList();
        var executors = Members("executors").Select(item => new ExecutorPing(item.Item1, Time(item.Item2)!.Value)).ToList();

        foreach (var answer in await _host.Store.ImportAsync(tasks, executors, default))
        {
            answer.Result.Should().Be(CreateResult.Created);
            var task = tasks.Single(task => task.Id == answer.TaskId);
            if (answer.Claim is { } claim)
            {
                _claims.Add((task.Id, task.ExecutorId!, 0), Held(task, claim));
            }
        }
    }

    public async Task PlayAsync()
    {
        foreach (var (number, step) in vector.GetProperty("steps").EnumerateArray().Index())
        {
            await StepAsync(step, number);
            _trace.Add(await _host.GetAsync("T"));
        }
    }

    public async Task CheckAsync()
    {
        Check("T", _expected.GetProperty("after"), await _host.Client.GetAsync("T"));
        foreach (var (id, after) in Members("others_after", _expected))
        {
            Check(id, after, await _host.Client.GetAsync(id));
        }

        _sent.Should().Equal(_expected.GetProperty("sent").EnumerateArray().Select(Describe));
        if (_expected.TryGetProperty("returns", out var returns))
        {
            _returns.Should().Equal(returns.EnumerateArray().Select(answer => answer.GetBoolean()));
        }

        if (_expected.TryGetProperty("executors_after", out var executors))
        {
            (await _host.Store.ListExecutorsAsync(default)).Select(executor => executor.ExecutorId)
                .Should().BeEquivalentTo(executors.EnumerateArray().Select(executor => executor.GetString()));
        }

        await CheckNotificationsAsync();
        foreach (var expected in _expected.TryGetProperty("trace", out var trace) ? trace.EnumerateArray() : default)
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
                _host.Clock.Advance(TimeSpan.FromSeconds(step.GetProperty("seconds").GetDouble()));
                break;
            case "ping":
                await _host.Store.HeartbeatAsync(Executor(step), [], default);
                break;
            case "suspend_executor":
                await _host.Store.SuspendExecutorAsync(Executor(step).Id, default);
                break;
            case "execute_stage":
                await _host.Store.HeartbeatAsync(Executor(step), [], default);
                await ClaimAsync(step);
                break;
            case "write_stage":
                await ReportAsync(step, step.GetProperty("error").GetBoolean()
                    ? StageOutcome.Failed(TaskError.FromJson(step.GetProperty("result")))
                    : StageOutcome.Completed(step.GetProperty("result")));
                break;
            case "wait_for_timer":
                await ReportAsync(step, StageOutcome.WaitFor(TimeSpan.FromSeconds(step.GetProperty("timer").GetDouble())));
                break;
            case "wait_for_message":
                await ReportAsync(step, StageOutcome.WaitForMessage());
                break;
            case "write_message":
                _returns.Add(await _host.Client.SendMessageAsync(step.GetProperty("task").GetString()!, step.GetProperty("data")));
                break;
            case "reset_task":
                _returns.Add(await _host.Client.ResetAsync(step.GetProperty("task").GetString()!));
                break;
            case "delete_old_tasks":
                await _host.Store.DeleteEndedAsync(TimeSpan.FromDays(step.GetProperty("interval_days").GetDouble()), 1000, default);
                break;
            default:
                throw new NotSupportedException(step.GetRawText());
        }
    }

    private async Task CycleAsync(int number)
    {
        await _host.Manager.TickAsync(default);
        await foreach (var task in _host.Client.ListAsync(new TaskQuery { State = TaskState.Queued }))
        {
            // Sent is what this cycle queued: whatever was queued before has an earlier time or was sent by an earlier one.
            if (task.QueuedAt == _host.Now && _trace.All(before => before.Id != task.Id || before.State != TaskState.Queued || before.QueuedAt != task.QueuedAt))
            {
                _dispatches[task.Id] = _dispatches.GetValueOrDefault(task.Id) + 1;
                var methods = string.Join(",", task.Definition.Commands.Skip(task.Stage).Select(command => command.Method));
                _sent.Add($"{task.Id} {number} {methods} {task.Stage}/{task.Stages} [{string.Join(",", task.Result.Select(Plain))}] {task.ExecDeadline:O} {Job(task)}");
            }
        }
    }

    // A report that is not from the current dispatch comes with a claim that nobody ever got.
    private async Task ReportAsync(JsonElement step, StageOutcome outcome)
    {
        var key = Key(step);
        if (!_claims.ContainsKey(key) && (await _host.GetAsync(key.Task)).State == TaskState.Queued)
        {
            await ClaimAsync(step);
        }

        var claim = _claims.TryGetValue(key, out var held) ? held.Claim : Guid.Empty;
        await _host.Store.RecordAsync(
            [new StageReport { TaskId = key.Task, Claim = claim, JobId = held?.JobId ?? "", Attempt = 1, Stage = step.GetProperty("stage").GetInt32(), Outcome = outcome }], default);
    }

    private async Task ClaimAsync(JsonElement step)
    {
        var key = Key(step);
        if (key.Dispatch == _dispatches.GetValueOrDefault(key.Task) && await _host.Store.ClaimAsync(Executor(step), [key.Task], default) is [var claimed])
        {
            _claims[key] = claimed;
        }
    }

    private void Check(string id, JsonElement after, TaskRecord? task, bool isWhole = true)
    {
        if (after.ValueKind == JsonValueKind.Null)
        {
            task.Should().BeNull($"{id} is deleted");
            return;
        }

        var actual = Json.Of(task!.ToJson());
        var before = isWhole ? Before(id) : default;
        foreach (var member in after.EnumerateObject().Where(member => member.Name != "step"))
        {
            if (member.Name == "error" && member.Value.ValueKind == JsonValueKind.Null && task.ExitCode == TaskExitCode.Aborted)
            {
                // A port says why it was aborted; what counts is the exit code.
                continue;
            }

            if (member.Name == "job_id" && member.Value.GetString() == "<new>")
            {
                task.JobId.Should().NotBe($"job-{id}");
            }
            else
            {
                Plain(actual.GetProperty(member.Name)).Should().Be(Plain(Absolute(member.Value)), $"{member.Name} of {id}");
            }
        }

        // Whatever is not named is as it was.
        foreach (var name in isWhole ? new[] { "queued_at", "exec_deadline", "wait_deadline", "next_run", "status_change", "job_id", "kws", "enabled", "cron", "created" } : [])
        {
            if (!after.TryGetProperty(name, out _) && !(name == "wait_deadline" && WaitIsMadeUp(id)))
            {
                Plain(actual.GetProperty(name)).Should().Be(Plain(Absolute(before.GetProperty(name))), $"{name} of {id} is as before");
            }
        }
    }

    private async Task CheckNotificationsAsync()
    {
        var actual = (await _host.Store.ListNotificationsAsync(new NotificationQuery(), 100, default)).Reverse().Select(n => Json.Of(n.ToJson())).ToList();
        var expected = _expected.TryGetProperty("notifications", out var notifications) ? notifications.EnumerateArray().ToList() : [];
        actual.Should().HaveSameCount(expected);
        foreach (var (notification, wanted) in actual.Zip(expected))
        {
            foreach (var member in wanted.EnumerateObject().Where(member => member.Name != "error" || member.Value.ValueKind != JsonValueKind.Null))
            {
                Plain(notification.GetProperty(member.Name)).Should().Be(Plain(member.Value), member.Name);
            }
        }
    }

    // A message wait's deadline follows from its command, which the original does not do; leaving WAITING clears it.
    private bool WaitIsMadeUp(string id) => Before(id) is var before && before.GetProperty("status").GetString() == "WAITING"
        && before.GetProperty("commands")[before.GetProperty("stage").GetInt32()].TryGetProperty("max_timeout", out var timeout) && timeout.ValueKind == JsonValueKind.Number;

    private JsonElement Before(string id) => id == "T" ? Whole("T", vector.GetProperty("before")) : Whole(id, vector.GetProperty("others").GetProperty(id));

    private TaskRecord Read(string id, JsonElement fields)
    {
        _jobs[id] = $"job-{id}";
        return TaskRecord.FromJson(Absolute(Whole(id, fields)).GetRawText());
    }

    private JsonElement Whole(string id, JsonElement fields)
    {
        var members = defaults.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
        members["id"] = Json.Of($"\"{id}\"");
        members["job_id"] = Json.Of($"\"job-{id}\"");
        foreach (var member in fields.EnumerateObject())
        {
            members[member.Name] = member.Value;
        }

        return Json.Of("{" + string.Join(",", members.Select(member => $"\"{member.Key}\":{member.Value.GetRawText()}")) + "}");
    }

    private string Describe(JsonElement sent) =>
        $"{sent.GetProperty("task").GetString()} {sent.GetProperty("step")} {string.Join(",", sent.GetProperty("methods").EnumerateArray().Select(method => method.GetString()))} "
        + $"{sent.GetProperty("stage")}/{sent.GetProperty("stages")} [{string.Join(",", sent.GetProperty("result").EnumerateArray().Select(Plain))}] "
        + $"{Time(sent.GetProperty("exec_deadline")):O} {sent.GetProperty("job_id").GetString()}";

    private string Job(TaskRecord task) => task.JobId == _jobs[task.Id] ? task.JobId : "<new>";

    /// <summary>"now+5" and its kin as seconds, everywhere inside.</summary>
    private static JsonElement Absolute(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String when Time(json) is { } time => Json.Of(time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
        JsonValueKind.Object => Json.Of("{" + string.Join(",", json.EnumerateObject().Select(member => $"\"{member.Name}\":{Absolute(member.Value).GetRawText()}")) + "}"),
        _ => json,
    };

    private static DateTimeOffset? Time(JsonElement json)
    {
        var text = json.ValueKind == JsonValueKind.String ? json.GetString()! : "";
        return text == "now" ? TaskTestHost.Start
            : text.StartsWith("now", StringComparison.Ordinal) && double.TryParse(text[3..], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? TaskTestHost.Start.AddSeconds(seconds)
            : null;
    }

    private static string Plain(JsonElement json) => json.ValueKind == JsonValueKind.Undefined ? "undefined" : JsonSerializer.Serialize(json);

    private static ExecutorTask Held(TaskRecord task, Guid claim) => new()
    {
        Id = task.Id,
        AppName = task.Definition.AppName!,
        ExecutorId = task.ExecutorId!,
        Claim = claim,
        JobId = task.JobId,
        Commands = [],
    };

    private static ExecutorInfo Executor(JsonElement step) => new(step.GetProperty("executor").GetString()!, "app", ["app"], 10);

    private static (string Task, string Executor, int Dispatch) Key(JsonElement step) =>
        (step.GetProperty("task").GetString()!, step.GetProperty("executor").GetString()!, step.GetProperty("dispatch").GetInt32());

    private IEnumerable<(string Id, JsonElement Value)> Members(string name, JsonElement? of = null) =>
        (of ?? vector).TryGetProperty(name, out var members) ? members.EnumerateObject().Select(member => (member.Name, member.Value)) : [];
}
