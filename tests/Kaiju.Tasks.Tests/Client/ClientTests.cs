namespace Kaiju.Tasks.Tests.Client;

public sealed class ClientTests
{
    [Fact]
    public async Task A_task_that_is_due_is_queued_when_it_is_created()
    {
        await using var host = NewHost();

        var created = await host.Client.CreateAsync(new TaskDefinition { Commands = [new("do")] });

        created.Should().Match<TaskHandle>(
            answer => answer.Result == CreateResult.Created && answer.State == TaskState.Queued);
        (await host.GetAsync(created.TaskId)).Should().Match<TaskRecord>(
            task => task.Created == TaskTestHost.Start && task.Definition.AppName == "default");
    }

    [Fact]
    public async Task A_known_id_is_refused_skipped_or_replaced()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });

        await FluentActions.Awaiting(
            () => host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] }))
            .Should().ThrowAsync<TaskExistsException>().WithMessage("The task \"t\" exists already (Finished)*");
        (await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("do"), new("do")] },
            new() { OnConflict = OnConflict.Skip })).Result.Should().Be(CreateResult.Skipped);
        (await host.GetAsync("t")).Stages.Should().Be(1);

        (await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("do"), new("do")] },
            new() { OnConflict = OnConflict.Replace })).Result.Should().Be(CreateResult.Replaced);
        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.Stages == 2 && task.State == TaskState.Queued && task.Result.Count == 0);
        await FluentActions.Awaiting(
            () => host.Client.CreateAsync(
                new TaskDefinition { Id = "t", Commands = [new("do")] }, new() { OnConflict = OnConflict.Replace }))
            .Should().ThrowAsync<TaskExistsException>().WithMessage("*is Queued and cannot be replaced now*");
    }

    [Fact]
    public async Task A_task_that_was_not_created_is_not_found()
    {
        await using var host = NewHost();

        (await host.Client.GetAsync("nobody")).Should().BeNull();
        (await host.Client.CancelAsync("nobody")).Should().BeFalse();
        (await host.Client.ResetAsync("nobody")).Should().BeFalse();
        (await host.Client.DeleteAsync("nobody")).Should().BeFalse();
        await FluentActions.Awaiting(() => host.Client.WaitAsync("nobody")).Should()
            .ThrowAsync<TaskNotFoundException>().WithMessage("Task \"nobody\" does not exist*");
    }

    [Fact]
    public async Task Tasks_are_listed_in_the_order_of_creation_across_pages()
    {
        await using var host = NewHost();
        for (var i = 0; i < 450; i++)
        {
            await host.Client.CreateAsync(
                new TaskDefinition { Id = $"t{i}", Commands = [new("do")], Priority = i % 7, Enabled = i % 2 == 0 });
            host.Clock.Advance(TimeSpan.FromMilliseconds(i % 5 == 0 ? 0 : 1));
        }

        var all = await host.Client.ListAsync().ToListAsync();

        all.Should().HaveCount(450);
        all.Select(task => (task.Created, task.Id)).Should().BeInAscendingOrder(
            (a, b) => a.Created != b.Created ? a.Created.CompareTo(b.Created) : string.CompareOrdinal(a.Id, b.Id));
        (await host.Client.ListAsync(new TaskQuery { State = TaskState.Queued }).ToListAsync())
            .Should().HaveCount(225).And.OnlyContain(task => task.State == TaskState.Queued);
        (await host.Client.ListAsync(new TaskQuery { State = TaskState.Idle }).ToListAsync()).Should().HaveCount(225);
    }

    [Fact]
    public async Task A_page_leads_to_the_next_one_although_tasks_are_deleted_in_between()
    {
        await using var host = NewHost();
        for (var i = 0; i < 5; i++)
        {
            await host.Client.CreateAsync(
                new TaskDefinition { Id = $"t{i}", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
            host.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var first = await host.Client.ListPageAsync(limit: 2);
        await host.Client.DeleteAsync("t1");
        await host.Client.DeleteAsync("t2");
        var second = await host.Client.ListPageAsync(after: first.Next, limit: 2);
        var third = await host.Client.ListPageAsync(after: second.Next, limit: 2);

        first.Items.Select(task => task.Id).Should().Equal("t0", "t1");
        second.Items.Select(task => task.Id).Should().Equal("t3", "t4");
        (third.Items.Count, third.Next).Should().Be((0, null));
        await FluentActions.Awaiting(() => host.Client.ListPageAsync(limit: 1001)).Should()
            .ThrowAsync<ArgumentOutOfRangeException>();
    }

    [Fact]
    public async Task Tasks_are_listed_by_their_properties()
    {
        await using var host = NewHost();
        await CreateAsync(
            new TaskDefinition
            {
                Id = "a-1",
                Group = "orders",
                GroupId = "g1",
                UserId = "ann",
                Commands = [new("do")],
            });
        await CreateAsync(
            new TaskDefinition
            {
                Id = "a-2",
                Group = "orders",
                GroupId = "g2",
                UserId = "bob",
                Commands = [new("do")],
            });
        await CreateAsync(
            new TaskDefinition { Id = "b-1", AppName = "other", Cron = "@daily", Commands = [new("do")] });

        (await ListAsync(new TaskQuery { Group = "orders" })).Should().Equal("a-1", "a-2");
        (await ListAsync(new TaskQuery { Group = "orders", UserId = "bob" })).Should().Equal("a-2");
        (await ListAsync(new TaskQuery { GroupId = "g1" })).Should().Equal("a-1");
        (await ListAsync(new TaskQuery { UserId = "nobody" })).Should().BeEmpty();
        (await ListAsync(new TaskQuery { AppName = "other" })).Should().Equal("b-1");
        (await ListAsync(new TaskQuery { IsPeriodic = true })).Should().Equal("b-1");
        (await ListAsync(new TaskQuery { IsPeriodic = false, IdPrefix = "a-" })).Should().Equal("a-1", "a-2");
        (await ListAsync(
            new TaskQuery
            {
                CreatedFrom = TaskTestHost.Start.AddSeconds(1),
                CreatedTo = TaskTestHost.Start.AddSeconds(2),
            })).Should().Equal("a-2");

        async Task CreateAsync(TaskDefinition definition)
        {
            await host.Client.CreateAsync(definition);
            host.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        async Task<string[]> ListAsync(TaskQuery query) =>
            [.. (await host.Client.ListAsync(query).ToListAsync()).Select(task => task.Id)];
    }

    [Fact]
    public async Task A_disabled_task_is_not_claimed()
    {
        await using var host = NewHost();

        var idle = await host.RunAsync(new TaskDefinition { Id = "t", Enabled = false, Commands = [new("do")] });

        idle.State.Should().Be(TaskState.Idle);
        (await host.Store.ClaimAsync(ByHand.Executor, ["t"], default)).Should().BeEmpty();
    }

    [Fact]
    public async Task Deleting_a_task_removes_it_and_cancels_its_handler()
    {
        var gate = new Gate();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("slow", gate.PassAsync));
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("slow")] });
        await host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;

        (await host.Client.DeleteAsync("t")).Should().BeTrue();
        await host.Executor.CheckClaimsAsync(default);

        await gate.Cancelled;
        await host.Executor.WhenIdleAsync().Soon();
        (await host.Client.GetAsync("t")).Should().BeNull();
    }

    [Fact]
    public async Task A_reset_task_runs_again_from_its_first_stage()
    {
        await using var host = NewHost();
        var first = await host.RunAsync(new TaskDefinition { Id = "t", Commands = [new("do"), new("do")] });

        (await host.Client.ResetAsync("t")).Should().BeTrue();
        (await host.GetAsync("t")).Should().Match<TaskRecord>(
            task => task.State == TaskState.Idle && task.Result.Count == 0 && task.NextRun == host.Now);
        await host.RunUntilIdleAsync();

        var second = await host.GetAsync("t");
        (second.State, second.Result.Count).Should().Be((TaskState.Finished, 2));
        second.JobId.Should().NotBe(first.JobId);
    }

    private static TaskTestHost NewHost() => new(tasks => tasks.AddCommand("do", () => "done"));
}
