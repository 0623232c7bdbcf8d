using System.Text.Json;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Wire;

public sealed class RecordJsonTests
{
    private const string Stored = """
        {
          "id": "t", "app_name": "app", "kws": {}, "enabled": true, "cron": null, "max_exec_timeout": 300,
          "max_retries": 3,
          "restart_policy": "CURRENT", "notify": false, "next_task": null, "system": false,
          "commands": [{"method": "do", "params": {}, "max_timeout": null, "condition": null}, {"method": "_TIMER_",
          "params": {"timer": 60}}],
          "status": "WAITING", "result": [{"a": 1.0}], "stage": 1, "stages": 2, "created": 1718449230,
          "queued_at": 1718452800.5,
          "exec_deadline": 1718453100, "wait_deadline": 1718452890, "next_run": 1718452800, "status_change": 1718452830,
          "executor_id": "e-1", "job_id": "j-1", "retries": 1, "exit_code": 1, "error": {"code": -32603,
          "message": "boom", "data": {"x": [1]}}
        }
        """;

    [Fact]
    public void A_stored_task_loads_with_results_and_state()
    {
        var task = TaskRecord.FromJson(Stored);

        task.State.Should().Be(TaskState.Waiting);
        task.Result.Texts().Should().Equal("""{"a": 1.0}""");
        (task.Stage, task.Stages, task.Retries).Should().Be((1, 2, 1));
        task.QueuedAt.Should().Be(DateTimeOffset.FromUnixTimeMilliseconds(1718452800500));
        task.WaitDeadline.Should().Be(DateTimeOffset.FromUnixTimeSeconds(1718452890));
        task.ExecutorId.Should().Be("e-1");
        task.JobId.Should().Be("j-1");
        task.ExitCode.Should().Be(TaskExitCode.ExecutionError);
        task.Error!.Message.Should().Be("boom");
        task.Error.Kind.Should().Be(TaskErrorKind.Other);
        task.Managed.Wait.Should().Be(WaitKind.Timer);
    }

    [Fact]
    public void A_stored_task_is_written_unchanged()
    {
        var written = Json.Of(TaskRecord.FromJson(Stored).ToJson());

        foreach (var member in Json.Of(Stored).EnumerateObject().Where(member => member.Name != "commands"))
        {
            JsonElement.DeepEquals(written.GetProperty(member.Name), member.Value).Should().BeTrue(
                $"{member.Name} is {written.GetProperty(member.Name)}");
        }

        var again = TaskRecord.FromJson(written.GetRawText());
        again.ToJson().Should().Be(written.GetRawText());
    }

    [Fact]
    public void A_task_with_little_in_it_loads_as_idle()
    {
        var task = TaskRecord.FromJson(
            """{"id": "t", "commands": [{"method": "do"}], "created": "2024-06-15T12:00:30"}""");

        task.State.Should().Be(TaskState.Idle);
        task.Result.Should().BeEmpty();
        task.Created.Should().Be(TaskTestHost.Start);
        task.StatusChange.Should().Be(task.Created);
    }

    [Theory]
    [InlineData("""{"method": "_MESSAGE_"}""", "1718452890", WaitKind.Message)]
    [InlineData("""{"method": "_TIMER_"}""", "1718452890", WaitKind.Timer)]
    [InlineData("""{"method": "do"}""", "null", WaitKind.Message)]
    [InlineData("""{"method": "do"}""", "1718452890", WaitKind.Timer)]
    public void A_waiting_task_takes_its_wait_from_its_command(string command, string deadline, WaitKind wait)
    {
        var task = TaskRecord.FromJson(
            $$"""{"id": "t", "status": "WAITING", "wait_deadline": {{deadline}}, "commands": [{{command}}]}""");

        task.Managed.Wait.Should().Be(wait);
    }

    [Fact]
    public async Task A_record_of_this_library_is_imported_unchanged()
    {
        await using var from = new TaskTestHost(
            tasks => tasks.AddCommand("fail", void () => throw new InvalidOperationException()));
        await from.RunAsync(new TaskDefinition { Id = "cron", Cron = "30 0 3 * * *", Commands = [new("fail")] });
        await from.RunAsync(
            new TaskDefinition
            {
                Id = "pass",
                MaxRetries = 1,
                RestartPolicy = RestartPolicy.First,
                Commands = [new("fail")],
            });
        await from.RunAsync(new TaskDefinition { Id = "cancelled", MaxRetries = 5, Commands = [new MessageCommand()] });
        await from.RunAsync(
            new TaskDefinition
            {
                Id = "waiting",
                Commands = [new MessageCommand { MaxTimeout = TimeSpan.FromDays(1) }],
            });
        await from.Client.CancelAsync("cancelled");
        var exported = (await from.Client.ListAsync().ToListAsync()).Select(task => task.ToJson()).ToList();

        await using var to = new TaskTestHost();
        var checker = to.Services.GetRequiredService<TaskDefinitionChecker>();
        await to.Store.ImportAsync(
            [.. exported.Select(json => checker.PrepareImport(TaskRecord.FromJson(json)))], [], default);

        (await to.Client.ListAsync().ToListAsync()).Select(task => task.ToJson()).Should().Equal(exported);
    }

    [Fact]
    public async Task A_record_of_the_original_is_corrected_when_it_is_imported()
    {
        await using var host = new TaskTestHost();
        var checker = host.Services.GetRequiredService<TaskDefinitionChecker>();
        TaskRecord Read(string json) => checker.PrepareImport(TaskRecord.FromJson(json));

        await host.Store.ImportAsync(
            [
                Read("""{"id": "cron", "cron": "0 3 * * * 30", "commands": [{"method": "do"}]}"""),
                Read(
                    """
                    {"id": "failed", "status": "FAILED", "max_retries": 2, "retries": 1, "queued_at": 1718452000,
                    "commands": [{"method": "do"}]}
                    """),
                Read("""{"id": "queued", "status": "QUEUED", "created": 1718452000, "commands": [{"method": "do"}]}"""),
                Read(
                    """
                    {"id": "odd", "commands": [{"method": "do", "params": {"x": "[7.a:1]"},
                    "condition": {"schema": {"a": {"near": 1}}}}], "max_retries": 99}
                    """),
            ],
            [],
            default);

        (await host.GetAsync("cron")).Definition.Cron.Should().Be("30 0 3 * * *", "the original has its seconds last");
        (await host.GetAsync("failed")).RetryAt.Should().Be(host.Now);
        (await host.GetAsync("queued")).QueuedAt.Should().Be(DateTimeOffset.FromUnixTimeSeconds(1718452000));
        (await host.GetAsync("odd")).Definition.MaxRetries.Should().Be(99, "a task from elsewhere is kept unchanged");
        FluentActions.Invoking(() => Read("""{"id": "t", "kws": [1], "commands": []}""")).Should()
            .Throw<TaskValidationException>().Which.Faults.Should().HaveCount(2);
    }

    [Fact]
    public void The_claim_is_not_written()
    {
        var task = TaskRecord.FromJson(Stored);
        var claim = Guid.Parse("3f2504e0-4f89-11d3-9a0c-0305e82c3301");

        (task with { Managed = task.Managed with { Claim = claim } }).ToJson().Should().NotContain(claim.ToString());
    }

    [Fact]
    public void All_faults_of_a_record_are_named()
    {
        var load = () => TaskRecord.FromJson("""{"status": "Idle", "result": {}, "commands": 1}""");

        load.Should().Throw<TaskValidationException>().Which.Faults.Should().Equal(
            "commands is 1; it must be an array.",
            "result is {}; it must be an array.",
            "status is \"Idle\"; it must be one of IDLE, QUEUED, EXECUTED, SUSPENDED, WAITING, FINISHED, FAILED.",
            "id is missing; a stored task has one.");
    }

    [Fact]
    public void An_executors_task_round_trips_as_json()
    {
        var task = new ExecutorTask
        {
            Id = "t",
            AppName = "app",
            ExecutorId = "e",
            Claim = Guid.Parse("3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
            JobId = "j",
            Pass = 2,
            Attempt = 3,
            Stage = 1,
            Stages = 2,
            Commands = [new TaskCommand("do.2", Json.Of("""{"x":"[0]"}"""))],
            Result = [Json.Of("1.50")],
            Kws = Json.Of("""{"a":1}"""),
            ExecDeadline = TaskTestHost.Start,
            TimeLeft = TimeSpan.FromSeconds(299.5),
            MaxRetries = 4,
            RetryDelay = TimeSpan.FromSeconds(2.5),
            Retries = 1,
            StageRetries = 1,
            QueuedFor = TimeSpan.FromSeconds(1.5),
        };

        var json = task.ToJson();

        json.ShouldBeJson("""
            {"id": "t", "app_name": "app", "executor_id": "e", "claim": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "job_id": "j", "pass": 2,
             "attempt": 3, "stage": 1, "stages": 2, "commands": [{"method": "do.2", "params": {"x": "[0]"},
             "max_timeout": null, "condition": null}],
             "result": [1.50], "kws": {"a": 1}, "exec_deadline": 1718452830, "time_left": 299.5,
             "max_retries": 4, "retry_delay": 2.5, "retries": 1, "stage_retries": 1, "queued_for": 1.5}
            """);
        ExecutorTask.FromJson(json).ToJson().Should().Be(json);
    }

    [Fact]
    public void A_notification_round_trips_as_json()
    {
        var notification = new TaskNotification
        {
            Id = 7,
            TaskId = "t",
            JobId = "j",
            UserId = "u",
            State = TaskState.Failed,
            IsFinal = false,
            ExitCode = TaskExitCode.Aborted,
            Error = TaskError.Create(TaskErrorKind.Timeout, "too long"),
            Result = [Json.Of("1")],
            Created = TaskTestHost.Start,
        };

        var json = notification.ToJson();

        json.ShouldBeJson("""
            {"message": "task.result", "id": 7, "task_id": "t", "job_id": "j", "user_id": "u", "status": "FAILED",
            "final": false, "read": false,
             "result": [1], "exit_code": 130, "error": {"kind": "timeout", "message": "too long"},
             "created": 1718452830}
            """);
        TaskNotification.FromJson(json).ToJson().Should().Be(json);
    }
}
