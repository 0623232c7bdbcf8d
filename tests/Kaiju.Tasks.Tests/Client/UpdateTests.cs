using Kaiju.Tasks.Tests.Docs;

namespace Kaiju.Tasks.Tests.Client;

/// <summary>Which members of a definition may change in which state.</summary>
public sealed class UpdateTests
{
    private static readonly string[] _always =
        [
            "enabled", "cron", "cron_time_zone", "priority", "max_exec_timeout", "max_retries", "retry_delay",
            "restart_policy", "notify", "next_task", "system", "description", "meta", "group", "group_id", "user_id",
        ];

    private static readonly Dictionary<string, Func<TaskDefinition, TaskDefinition>> _changes = new()
    {
        ["id"] = task => task with { Id = "other" },
        ["app_name"] = task => task with { AppName = "other" },
        ["commands"] = task => task with { Commands = [new("do", new { other = 1 }), new("do")] },
        ["kws"] = task => task with { Kws = new { other = 1 } },
        ["enabled"] = task => task with { Enabled = false },
        ["cron"] = task => task with { Cron = "@hourly" },
        ["cron_time_zone"] = task => task with { Cron = "@daily", CronTimeZone = "Europe/Riga" },
        ["run_at"] = task => task with { RunAt = TaskTestHost.Start.AddDays(9) },
        ["priority"] = task => task with { Priority = 7 },
        ["max_exec_timeout"] = task => task with { MaxExecTimeout = TimeSpan.FromSeconds(77) },
        ["max_retries"] = task => task with { MaxRetries = 7 },
        ["retry_delay"] = task => task with { RetryDelay = TimeSpan.FromSeconds(7) },
        ["restart_policy"] = task => task with { RestartPolicy = RestartPolicy.First },
        ["notify"] = task => task with { Notify = true },
        ["next_task"] = task => task with { NextTask = "after" },
        ["system"] = task => task with { System = true },
        ["description"] = task => task with { Description = "other" },
        ["meta"] = task => task with { Meta = new { other = 1 } },
        ["group"] = task => task with { Group = "other" },
        ["group_id"] = task => task with { GroupId = "other" },
        ["user_id"] = task => task with { UserId = "other" },
    };

    public static TheoryData<TaskState, string, bool> Table
    {
        get
        {
            var rows = new TheoryData<TaskState, string, bool>();
            foreach (var state in Enum.GetValues<TaskState>())
            {
                foreach (var member in _changes.Keys)
                {
                    rows.Add(state, member, member switch
                    {
                        "id" => false,
                        "run_at" => state == TaskState.Idle,
                        "app_name" or "commands" or "kws" =>
                            state is TaskState.Idle or TaskState.Finished or TaskState.Failed,
                        _ => _always.Contains(member),
                    });
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Table))]
    public async Task An_update_of_a_member_is_allowed_or_refused_by_state(TaskState state, string member, bool allowed)
    {
        await using var host = await InStateAsync(state);
        var before = await host.GetAsync("t");

        var update = () => host.Client.UpdateAsync("t", _changes[member]);

        if (allowed)
        {
            var after = await update();
            after.Revision.Should().Be(1);
            after.State.Should().Be(state);
            after.Definition.ToJson().Should().NotBe(before.Definition.ToJson());
        }
        else
        {
            (await update.Should().ThrowAsync<TaskValidationException>()).Which.Faults
                .Should().ContainSingle().Which.Should().StartWith(member);
            (await host.GetAsync("t")).ToJson().Should().Be(before.ToJson());
        }
    }

    /// <summary>They are a part of the commands, unlike those of the task.</summary>
    [Fact]
    public async Task A_commands_retries_cannot_change_during_a_run()
    {
        await using var idle = await InStateAsync(TaskState.Idle);
        await using var queued = await InStateAsync(TaskState.Queued);
        foreach (var command in (TaskCommand[])[
            new("do") { MaxRetries = 1 }, new("do") { RetryDelay = TimeSpan.FromSeconds(1) }])
        {
            (await idle.Client.UpdateAsync("t", task => task with { Commands = [command] }))
                .Definition.Commands[0].Should().Match<TaskCommand>(stored =>
                    stored.MaxRetries == command.MaxRetries && stored.RetryDelay == command.RetryDelay);
            (await FluentActions.Awaiting(
                () => queued.Client.UpdateAsync("t", task => task with { Commands = [command] }))
                .Should().ThrowAsync<TaskValidationException>()).Which.Faults.Should()
                .Equal("commands cannot change while the task is Queued.");
        }

        await FluentActions.Awaiting(() => idle.Client.UpdateAsync(
            "t", task => task with { Commands = [new("do") { MaxRetries = 99 }] })).Should()
            .ThrowAsync<TaskValidationException>().WithMessage("*commands[0].max_retries is 99*");
    }

    [Fact]
    public void The_table_in_the_docs_names_every_member() => File.ReadAllText(DocsTests.PathOf("docs", "client.md"))
        .Should().ContainAll(_changes.Keys.Select(member => $"`{member}`"));

    [Fact]
    public async Task A_disabled_task_rests_and_resumes_when_it_is_enabled()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        await host.Client.SetEnabledAsync("t", false);
        await host.RunUntilIdleAsync();
        (await host.GetAsync("t")).State.Should().Be(TaskState.Queued, "a disabled task is not claimed");

        await host.Client.SetEnabledAsync("t", true);
        await host.RunUntilIdleAsync();

        (await host.GetAsync("t")).State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_changed_cron_counts_from_now_and_does_not_fire()
    {
        var runs = 0;
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => ++runs));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Cron = "0 12 * * *", Commands = [new("do")] });
        host.Clock.Advance(TimeSpan.FromHours(1));

        (await host.Client.UpdateAsync(
            "t", task => task with { Cron = "0 * * * *" })).NextRun.Should().Be(TaskTestHost.Start.AddMinutes(119.5));
        await host.RunUntilIdleAsync();
        runs.Should().Be(0);
        (await host.Client.UpdateAsync("t", task => task with { Cron = null })).NextRun.Should().BeNull();
        (await host.Client.UpdateAsync("t", task => task with { RunAt = host.Now })).NextRun.Should().Be(host.Now);
        await host.RunUntilIdleAsync();
        runs.Should().Be(1);
    }

    [Fact]
    public async Task A_raised_priority_counts_in_the_queue()
    {
        var order = new List<string>();
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", (StageContext stage) => order.Add(stage.TaskId)),
            options => options.Capacity = 1);
        await host.Client.CreateAsync(new TaskDefinition { Id = "a", Commands = [new("do")] });
        await host.Client.CreateAsync(new TaskDefinition { Id = "b", Commands = [new("do")] });

        await host.Client.UpdateAsync("b", task => task with { Priority = 1 });
        await host.RunUntilIdleAsync();

        order.Should().Equal("b", "a");
    }

    [Fact]
    public async Task Neither_of_two_concurrent_updates_is_lost()
    {
        await using var host = new TaskTestHost();
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
        var calls = 0;

        await host.Client.UpdateAsync("t", task =>
        {
            if (calls++ == 0)
            {
                host.Client.UpdateAsync("t", other => other with { Description = "theirs" }).GetAwaiter().GetResult();
            }

            return task with { Group = "mine" };
        });

        (await host.GetAsync("t")).Definition.Should().Match<TaskDefinition>(
            task => task.Description == "theirs" && task.Group == "mine");
        calls.Should().Be(2);
        (await host.Client.ListAsync(new TaskQuery { Group = "mine" }).ToListAsync()).Should().ContainSingle();
    }

    [Fact]
    public async Task An_update_is_checked_like_a_creation()
    {
        await using var host = new TaskTestHost();
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });

        await FluentActions.Awaiting(
            () => host.Client.UpdateAsync("t", task => task with { MaxRetries = 99, Cron = "x" }))
            .Should()
            .ThrowAsync<TaskValidationException>();
        await FluentActions.Awaiting(() => host.Client.UpdateAsync("nobody", task => task)).Should()
            .ThrowAsync<TaskNotFoundException>();
    }

    private static async Task<TaskTestHost> InStateAsync(TaskState state)
    {
        var host = new TaskTestHost();
        await host.Client.CreateAsync(
            new TaskDefinition
            {
                Id = "t",
                RunAt = state == TaskState.Idle ? TaskTestHost.Start.AddDays(1) : null,
                Commands = [new("do")],
            });
        if (state is TaskState.Idle or TaskState.Queued)
        {
            return host;
        }

        var claimed = await host.ClaimByHandAsync("t");
        switch (state)
        {
            case TaskState.Suspended:
                await host.Store.SuspendExecutorAsync(ByHand.Executor.Id, default);
                break;
            case TaskState.Waiting:
                await host.ReportByHandAsync(claimed, StageOutcome.WaitForMessage());
                break;
            case TaskState.Finished:
                await host.ReportByHandAsync(claimed, ByHand.Result("1"));
                break;
            case TaskState.Failed:
                await host.ReportByHandAsync(claimed, ByHand.Failure());
                break;
        }

        return host;
    }
}
