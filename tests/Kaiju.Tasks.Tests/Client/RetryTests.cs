using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Client;

/// <summary>Retries by hand and bulk operations through the client.</summary>
public sealed class RetryTests
{
    private static readonly TaskQuery _failed = new() { State = TaskState.Failed };

    [Fact]
    public async Task A_retried_stage_has_the_same_idempotency_key_and_the_results_before_it()
    {
        var keys = new List<string>();
        var works = false;
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("first", () => 1)
            .AddCommand("second", (StageContext context) =>
            {
                keys.Add(context.IdempotencyKey);
                return works ? context.Attempt : throw new InvalidOperationException("no");
            }));
        var handle = await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", Commands = [new("first"), new("second")] });
        await host.RunUntilIdleAsync();
        (await host.GetAsync("t")).HasEnded.Should().BeTrue();

        works = true;
        (await handle.RetryAsync()).Should().Be(RetryResult.Retried);
        await host.RunUntilIdleAsync();

        var run = await handle.WaitAsync();
        run.EnsureSucceeded().Result.Select(result => result.GetInt32()).Should().Equal(1, 2);
        run.Retries.Should().Be(1);
        keys.Should().HaveCount(2);
        keys.Distinct().Should().ContainSingle("a retry by hand repeats the same stage of the same pass");
        (await handle.RetryAsync()).Should().Be(RetryResult.NotFailed);
    }

    [Fact]
    public async Task A_run_is_retried_from_an_earlier_stage_with_other_params_and_kws()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("double", (int number) => number * 2)
            .AddCommand("check", (int number) => number > 10 ? number : throw new InvalidOperationException("small")));
        var handle = await host.Client.CreateAsync(new TaskDefinition
        {
            Id = "t",
            Kws = new { start = 1 },
            Commands =
            [
                new("double", new { number = "[kws.start]" }), new("check", new { number = "[0]" }),
            ],
        });
        await host.RunUntilIdleAsync();

        (await handle.RetryAsync(new RetryOptions { FromStage = 0, Kws = new { start = 20 } }))
            .Should().Be(RetryResult.Retried);
        await host.RunUntilIdleAsync();

        (await handle.WaitAsync()).EnsureSucceeded().Result.Select(result => result.GetInt32()).Should().Equal(40, 40);
        (await host.GetAsync("t")).Definition.KwsJson.GetRawText().Should().Be("""{"start":1}""");
    }

    public static TheoryData<string, RetryOptions> Invalid => new()
    {
        { "*params*", new RetryOptions { Params = new string('x', 2_000_000) } },
        { "*kws*", new RetryOptions { Kws = new[] { 1 } } },
        { "*params.id*", new RetryOptions { Params = new { id = "[kws." } } },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public async Task Changes_that_cannot_be_stored_are_refused_before_anything_is_changed(
        string message, RetryOptions options)
    {
        await using var host = new TaskTestHost();
        var handle = await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        await handle.CancelAsync();

        await FluentActions.Awaiting(() => handle.RetryAsync(options))
            .Should().ThrowAsync<TaskValidationException>().WithMessage(message);
        (await host.GetAsync("t")).State.Should().Be(TaskState.Failed);
    }

    [Fact]
    public async Task A_negative_stage_is_refused_and_a_later_one_answered()
    {
        await using var host = new TaskTestHost();
        var handle = await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        await handle.CancelAsync();

        await FluentActions.Awaiting(() => handle.RetryAsync(new RetryOptions { FromStage = -1 }))
            .Should().ThrowAsync<ArgumentOutOfRangeException>();
        (await handle.RetryAsync(new RetryOptions { FromStage = 1 })).Should().Be(RetryResult.NoSuchStage);
        (await handle.RetryAsync(new RetryOptions { FromStage = 1, Params = new { a = 1 } }))
            .Should().Be(RetryResult.NoSuchStage);
        (await host.Client.RetryAsync("missing", new RetryOptions { Kws = new { a = 1 } }))
            .Should().Be(RetryResult.NotFound);
    }

    [Fact]
    public async Task More_tasks_than_one_step_changes_are_retried_in_one_call()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        const int Count = 450;
        await host.Client.CreateManyAsync(Enumerable.Range(0, Count).Select(place =>
            new TaskDefinition { Id = $"t{place}", Commands = [new("do")] }));
        await host.Client.CreateAsync(new TaskDefinition { Id = "running", Commands = [new("do")] });
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        (await host.Client.CancelManyAsync(new TaskQuery { IdPrefix = "t" })).Should().BeEquivalentTo(
            new BulkResult { Matched = Count, Done = Count, Refused = 0 });
        host.Clock.Advance(TimeSpan.FromSeconds(1));

        (await host.Client.RetryManyAsync(_failed, dryRun: true)).Should().BeEquivalentTo(
            new BulkResult { Matched = Count, Done = 0, Refused = 0 });
        (await host.Client.RetryManyAsync(new TaskQuery { AppName = "default" })).Should().BeEquivalentTo(
            new BulkResult { Matched = Count + 1, Done = Count, Refused = 1 });
        (await host.Client.CountAsync(new TaskQuery { State = TaskState.Queued })).Should().Be(Count + 1);

        host.Clock.Advance(TimeSpan.FromSeconds(1));
        (await host.Client.DeleteManyAsync(new TaskQuery { IdPrefix = "t" })).Done.Should().Be(Count);
        (await host.Client.CountAsync()).Should().Be(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_query_that_selects_all_tasks_is_refused(bool dryRun)
    {
        await using var host = new TaskTestHost();
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var query in new[] { new TaskQuery(), new TaskQuery { NewestFirst = true, IdPrefix = "" } })
        {
            await FluentActions.Awaiting(() => host.Client.DeleteManyAsync(query, dryRun))
                .Should().ThrowAsync<ArgumentException>().WithMessage("The query selects all tasks*");
            await FluentActions.Awaiting(() => host.Client.RetryManyAsync(query, dryRun))
                .Should().ThrowAsync<ArgumentException>();
            await FluentActions.Awaiting(() => host.Client.CancelManyAsync(query, dryRun))
                .Should().ThrowAsync<ArgumentException>();
        }

        (await host.GetAsync("t")).State.Should().Be(TaskState.Queued);
    }

    [Fact]
    public void The_outcome_of_a_bulk_operation_has_a_wire_form()
    {
        var json = System.Text.Json.JsonSerializer.Serialize(new BulkResult { Matched = 3, Done = 2, Refused = 1 });

        json.Should().Be("""{"operation_id":null,"matched":3,"done":2,"refused":1}""");
        System.Text.Json.JsonSerializer.Deserialize<BulkResult>(json).Should().BeEquivalentTo(
            new BulkResult { Matched = 3, Done = 2, Refused = 1 });
        System.Text.Json.JsonSerializer.Serialize(RetryResult.UnderWay).Should().Be("\"UNDERWAY\"");
    }
}
