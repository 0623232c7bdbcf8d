using System.Data.Common;
using System.Text.Json;

namespace Kaiju.Tasks.Tests.Client;

public sealed class HandleTests
{
    [Fact]
    public async Task A_task_of_one_stage_is_enqueued_awaited_and_its_result_read()
    {
        await using var host = NewHost();

        var handle = await host.Client.EnqueueAsync("orders.ship", new { id = 42 });
        var waiting = handle.WaitAsync();
        await host.RunUntilIdleAsync();

        (handle.Result, handle.State, handle.Faults.Count).Should().Be((CreateResult.Created, TaskState.Queued, 0));
        (await waiting.Soon()).EnsureSucceeded().GetResult<Receipt>().Should().Be(new Receipt(42, "shipped"));
    }

    [Fact]
    public async Task A_type_that_a_source_generator_knows_is_enqueued_and_read_back()
    {
        await using var host = NewHost();
        var types = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        types.MakeReadOnly(populateMissingResolver: true);
        var order = (System.Text.Json.Serialization.Metadata.JsonTypeInfo<Order>)types.GetTypeInfo(typeof(Order));
        var receipt = (System.Text.Json.Serialization.Metadata.JsonTypeInfo<Receipt>)types.GetTypeInfo(typeof(Receipt));

        var handle = await host.Client.EnqueueAsync("orders.ship", new Order(7), order);
        await host.RunUntilIdleAsync();

        var run = await handle.WaitAsync(TimeSpan.FromMinutes(1)).Soon();
        run.GetResult(receipt).Should().Be(new Receipt(7, "shipped"));
        run.GetResult(0, receipt).Should().Be(new Receipt(7, "shipped"));
    }

    [Fact]
    public async Task Results_are_read_with_the_serializer_options_of_the_host()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => new Receipt(1, "x")),
            options => options.SerializerOptions = new JsonSerializerOptions
            {
                PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseUpper,
            });
        var handle = await host.Client.EnqueueAsync("do");
        await host.RunUntilIdleAsync();

        (await handle.WaitAsync().Soon()).GetResult<Receipt>().Should().Be(new Receipt(1, "x"));
        (await host.Client.ListRunsAsync(handle.TaskId))[0].GetResult<Receipt>(0).Should().Be(new Receipt(1, "x"));
    }

    [Fact]
    public async Task A_failed_run_throws_its_error_when_success_is_required()
    {
        await using var host = NewHost();
        var handle = await host.Client.EnqueueAsync("fail");
        await host.RunUntilIdleAsync();
        var run = await handle.WaitAsync().Soon();

        var demanded = run.Invoking(failed => failed.EnsureSucceeded()).Should().Throw<TaskRunFailedException>();
        demanded.Which.Message.Should().Be(
            $"Task \"{handle.TaskId}\" failed (run {handle.JobId}, exit code 1): handler: boom");
        demanded.Which.Run.Should().BeSameAs(run);
        run.Invoking(failed => failed.GetResult<int>()).Should().Throw<InvalidOperationException>()
            .WithMessage("*has no results: its first stage failed.");
        run.Invoking(failed => failed.GetResult<int>(0)).Should().Throw<ArgumentOutOfRangeException>()
            .WithMessage("No stage has a result.*");
    }

    [Fact]
    public async Task The_result_of_the_last_stage_and_of_any_other_can_be_read()
    {
        await using var host = NewHost();
        var handle = await host.Client.CreateAsync(new TaskDefinition { Commands = [new("count"), new("count")] });
        await host.RunUntilIdleAsync();
        var run = (await handle.WaitAsync().Soon()).EnsureSucceeded();

        (run.GetResult<int>(), run.GetResult<int>(0)).Should().Be((2, 1));
        run.Invoking(finished => finished.GetResult<int>(2)).Should().Throw<ArgumentOutOfRangeException>()
            .WithMessage("Only the stages 0 to 1 have a result.*");
    }

    [Fact]
    public async Task A_handle_waits_for_its_own_run_although_the_task_has_begun_another()
    {
        await using var host = NewHost();
        var handle = await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("count")], Cron = "* * * * *" });
        await host.AdvanceAsync(TimeSpan.FromSeconds(30));
        await host.AdvanceAsync(TimeSpan.FromMinutes(1));

        var run = await handle.WaitAsync().Soon();

        (run.JobId, run.GetResult<int>()).Should().Be((handle.JobId, 1));
        (await host.Client.WaitAsync("t", handle.JobId, null, default).Soon()).JobId.Should().Be(handle.JobId);
        await handle.Awaiting(other => host.Client.WaitAsync("t", "unknown", null, default)).Should()
            .ThrowAsync<TaskRunLostException>();
    }

    [Fact]
    public async Task A_wait_beyond_its_timeout_throws_and_the_run_continues()
    {
        await using var host = NewHost();
        var handle = await host.Client.EnqueueAsync("orders.ship", new { id = 1 });

        var waiting = handle.WaitAsync(TimeSpan.FromSeconds(5));
        host.Clock.Advance(TimeSpan.FromSeconds(4.9));
        waiting.IsCompleted.Should().BeFalse();
        host.Clock.Advance(TimeSpan.FromSeconds(0.1));

        await FluentActions.Awaiting(() => waiting.Soon()).Should().ThrowAsync<TimeoutException>()
            .WithMessage($"Task \"{handle.TaskId}\" did not end within 00:00:05. Its run continues.");
        await host.RunUntilIdleAsync();
        (await handle.WaitAsync(TimeSpan.FromDays(49)).Soon()).State.Should().Be(TaskState.Finished);
        foreach (var wrong in new[] { TimeSpan.Zero, TimeSpan.FromSeconds(-1), TimeSpan.FromDays(50) })
        {
            await FluentActions.Awaiting(() => handle.WaitAsync(wrong)).Should()
                .ThrowAsync<ArgumentOutOfRangeException>().WithMessage("The timeout must be more than zero*");
        }
    }

    [Fact]
    public async Task A_wait_that_its_caller_cancels_is_cancelled_and_not_a_timeout()
    {
        await using var host = NewHost();
        var handle = await host.Client.EnqueueAsync("orders.ship", new { id = 1 });
        using var cancel = new CancellationTokenSource();

        var waiting = handle.WaitAsync(TimeSpan.FromSeconds(5), cancel.Token);
        await cancel.CancelAsync();

        await FluentActions.Awaiting(() => waiting.Soon()).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task A_handle_sends_messages_to_its_task_resets_cancels_and_deletes_it()
    {
        await using var host = NewHost();
        var handle = await host.Client.CreateAsync(new TaskDefinition { Commands = [new MessageCommand()] });
        await host.RunUntilIdleAsync();

        (await handle.SendMessageAsync(new { ok = true })).Should().BeTrue();
        await host.RunUntilIdleAsync();
        (await handle.GetAsync())!.Result[0].GetRawText().Should().Be("""{"ok":true}""");
        (await handle.ResetAsync()).Should().BeTrue();
        (await handle.CancelAsync()).Should().BeTrue();
        (await handle.DeleteAsync()).Should().BeTrue();
        (await handle.GetAsync()).Should().BeNull();
        handle.ToString().Should().Be($"{handle.TaskId} (Created)");
    }

    [Fact]
    public async Task The_run_of_a_task_that_was_skipped_is_its_current_one()
    {
        await using var host = NewHost();
        var first = await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("count")] });

        var second = await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("count")] }, new() { OnConflict = OnConflict.Skip });

        (second.Result, second.JobId).Should().Be((CreateResult.Skipped, first.JobId));
    }

    [Fact]
    public async Task The_handle_of_an_invalid_item_has_its_faults_and_refuses_every_call()
    {
        await using var host = NewHost();

        var handles = await host.Client.CreateManyAsync(
        [
            new TaskDefinition { Id = "good", Commands = [new("count")] },
            new TaskDefinition { Id = "bad", Commands = [], MaxRetries = -1 },
        ]);

        handles.Select(handle => handle.Result).Should().Equal(CreateResult.Created, CreateResult.Invalid);
        handles[0].JobId.Should().NotBeEmpty();
        (handles[1].TaskId, handles[1].JobId, handles[1].Faults.Count).Should().Be(("bad", "", 2));
        await handles[1].Awaiting(bad => bad.WaitAsync()).Should().ThrowAsync<InvalidOperationException>()
            .WithMessage("The task \"bad\" was not created: max_retries is -1*");
    }

    [Fact]
    public async Task A_store_without_transactions_refuses_one_before_anything_is_stored()
    {
        await using var host = NewHost();
        var options = new CreateOptions { Transaction = new NoTransaction() };

        await FluentActions.Awaiting(() => host.Client.EnqueueAsync("count", null, options)).Should()
            .ThrowAsync<NotSupportedException>().WithMessage("MemoryTaskStore cannot join a transaction*");
        await FluentActions.Awaiting(
            () => host.Client.CreateManyAsync([new TaskDefinition { Commands = [new("count")] }], options))
            .Should().ThrowAsync<NotSupportedException>();
        (await host.Client.CountAsync()).Should().Be(0);
    }

    [Fact]
    public async Task A_handle_is_written_to_json_and_cannot_be_read_from_it()
    {
        await using var host = NewHost();
        var handle = await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("count")] });

        JsonSerializer.Serialize(handle).ShouldBeJson(
            $$"""
            {"task_id": "t", "job_id": "{{handle.JobId}}", "result": "CREATED", "status": "QUEUED", "faults": []}
            """);
        FluentActions.Invoking(() => JsonSerializer.Deserialize<TaskHandle>("{}")).Should()
            .Throw<NotSupportedException>().WithMessage("*cannot be read from JSON*");
    }

    private static TaskTestHost NewHost()
    {
        var count = 0;
        return new(tasks => tasks
            .AddCommand("orders.ship", (int id) => new Receipt(id, "shipped"))
            .AddCommand("count", () => ++count)
            .AddCommand("fail", int () => throw new InvalidOperationException("boom")));
    }

    private sealed record Order(int Id);

    private sealed record Receipt(int Id, string State);

    private sealed class NoTransaction : DbTransaction
    {
        public override System.Data.IsolationLevel IsolationLevel => System.Data.IsolationLevel.ReadCommitted;

        protected override DbConnection? DbConnection => null;

        public override void Commit()
        {
        }

        public override void Rollback()
        {
        }
    }
}
