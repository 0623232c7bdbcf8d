using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Client;

/// <summary>Every call of the client has a bound when the store does not answer, and ends with its host.</summary>
public sealed class ClientTimeoutTests
{
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(5);

    public static TheoryData<string> Members => ClientMembers.Names;

    [Theory]
    [MemberData(nameof(Members))]
    public async Task A_store_that_does_not_answer_in_time_causes_a_timeout_with_its_possible_effect(string member)
    {
        var (store, stuck) = StuckStore.New();
        await using var host = NewHost(store, TimeSpan.FromSeconds(7));
        var call = host.Client.CallAsync(member, default);

        await host.Clock.SleepingAsync(TimeSpan.FromSeconds(7));
        host.Clock.Advance(TimeSpan.FromSeconds(7) - TimeSpan.FromTicks(1));
        call.IsCompleted.Should().BeFalse("the time is not over");
        host.Clock.Advance(TimeSpan.FromTicks(1));
        await PassGraceAsync(host, member, call);

        var failed = (await call.Awaiting(task => task.Soon()).Should().ThrowAsync<TaskStoreTimeoutException>()).Which;
        failed.Should().Match<TaskStoreTimeoutException>(
            e => e.Operation == ClientMembers.Operation(member)
                && e.MayHaveHappened == !ClientMembers.ReadsFirst(member));
        failed.Message.Should().StartWith(
            $"{ClientMembers.Operation(member)}: the store did not answer within 00:00:07. ")
            .And.Contain(ClientMembers.ReadsFirst(member) ? "Nothing was changed" : "The step may have happened");
        await Waiting.Until(() => Task.FromResult(stuck.Tokens[0].IsCancellationRequested));
    }

    [Theory]
    [MemberData(nameof(Members))]
    public async Task A_call_that_waits_for_the_store_ends_when_its_host_is_disposed(string member)
    {
        var (store, stuck) = StuckStore.New();
        var host = NewHost(store, TimeSpan.FromHours(1));
        var call = host.Client.CallAsync(member, default);

        await host.AbandonAsync();
        await PassGraceAsync(host, member, call);

        var failed = (await call.Awaiting(task => task.Soon()).Should().ThrowAsync<TaskHostStoppedException>()).Which;
        failed.Should().Match<TaskHostStoppedException>(
            e => e.Operation == ClientMembers.Operation(member)
                && e.MayHaveHappened == !ClientMembers.ReadsFirst(member));
        await Waiting.Until(() => Task.FromResult(stuck.Tokens[0].IsCancellationRequested));
    }

    [Theory]
    [MemberData(nameof(Members))]
    public async Task A_call_whose_token_is_cancelled_ends_although_the_store_does_not_react(string member)
    {
        var (store, stuck) = StuckStore.New();
        await using var host = NewHost(store, TimeSpan.FromHours(1));
        using var giveUp = new CancellationTokenSource();
        var call = host.Client.CallAsync(member, giveUp.Token);

        await giveUp.CancelAsync();
        await PassGraceAsync(host, member, call);

        (await call.Awaiting(task => task.Soon()).Should()
            .ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(giveUp.Token);
        await Waiting.Until(() => Task.FromResult(stuck.Tokens[0].IsCancellationRequested));
    }

    [Theory]
    [MemberData(nameof(Members))]
    public async Task A_call_after_the_end_of_its_host_throws_TaskHostStoppedException(string member)
    {
        var host = NewHost(StuckStore.New().Store, TimeSpan.FromHours(1));
        var client = host.Client;
        await host.AbandonAsync();

        var failed = await FluentActions.Awaiting(() => client.CallAsync(member, default).Soon()).Should()
            .ThrowAsync<TaskHostStoppedException>();

        failed.Which.Should().Match<TaskHostStoppedException>(
            e => e.Operation == ClientMembers.Operation(member) && !e.MayHaveHappened);
    }

    [Fact]
    public async Task The_wait_for_a_run_has_no_timeout_and_ends_with_the_work_of_its_host()
    {
        await using var host = new RunningHost(tasks => tasks.AddCommand("do", () => 1));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
        var waiting = host.Client.WaitAsync("t");
        for (var minutes = 0; minutes < 60; minutes++)
        {
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        waiting.IsCompleted.Should().BeFalse();
        await host.StopAsync();

        var stopped = (await waiting.Awaiting(task => task.Soon()).Should()
            .ThrowAsync<TaskHostStoppedException>()).Which;
        stopped.Message.Should().Be(
            "WaitAsync of task \"t\": the host has stopped or was disposed of. Nothing was changed; the task "
                + "continues without this host.");
        (await host.Client.GetAsync("t"))!.State.Should().Be(
            TaskState.Idle, "services that stop after the tasks may still call");
    }

    [Fact]
    public async Task A_handler_may_wait_for_another_task_while_its_host_drains()
    {
        var gate = new Gate();
        TaskRun? other = null;
        await using var host = new RunningHost(
            tasks => tasks.AddCommand("first", async (ITaskClient client, CancellationToken cancellationToken) =>
        {
            var waiting = client.WaitAsync("other", cancellationToken);
            await gate.PassAsync(cancellationToken);
            await client.CancelAsync("other", cancellationToken);
            other = await waiting;
        }));
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "other", RunAt = TaskDefinition.OnDemand, Commands = [new("first")] });
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("first")] });
        await gate.Entered;

        var stopping = host.StopAsync();
        gate.Open();
        await stopping.Soon();

        other!.ExitCode.Should().Be(TaskExitCode.Aborted);
        (await host.Client.GetAsync("t"))!.State.Should().Be(TaskState.Finished);
    }

    [Fact]
    public async Task A_call_that_waits_for_the_store_ends_when_the_application_has_stopped()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ITaskStore>(StuckStore.New().Store);
        builder.Services.AddKaijuTasks(options => options.Roles = TaskRoles.Client);
        using var host = builder.Build();
        await host.StartAsync();
        var call = host.Services.GetRequiredService<ITaskClient>().GetAsync("t");

        await host.StopAsync();

        await call.Awaiting(task => task.Soon()).Should().ThrowAsync<TaskHostStoppedException>();
    }

    [Fact]
    public async Task A_queue_that_does_not_answer_does_not_undo_a_creation()
    {
        await using var host = new RunningHost(
            tasks => tasks.Services.AddSingleton<ITaskQueue>(new StuckQueue()),
            options => (options.Roles, options.ClientTimeout) = (TaskRoles.Client, TimeSpan.FromSeconds(7)));
        var call = host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });

        await host.Clock.PassAsync(TimeSpan.FromSeconds(7));

        (await call.Soon()).Result.Should().Be(CreateResult.Created);
        host.Logs.Lines.Should().ContainSingle(
            line => line.Level >= LogLevel.Information && line.Exception is TaskStoreTimeoutException)
            .Which.Text.Should().Be(
                "The store is failing: could not publish queued tasks. Retrying until it works again.");
    }

    private static RunningHost NewHost(ITaskStore store, TimeSpan timeout) =>
        new(
            configure: options => (options.Roles, options.ClientTimeout) = (TaskRoles.Client, timeout),
            store: _ => store);

    private sealed class StuckQueue : ITaskQueue
    {
        public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) =>
            new(new TaskCompletionSource().Task);

        public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
            ClaimRequest request, CancellationToken cancellationToken) => new([]);

        public ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken) =>
            default;
    }

    /// <summary>The caller's connection is returned to the pool once the driver has let go of it.</summary>
    private static async Task PassGraceAsync(RunningHost host, string member, Task call)
    {
        if (ClientMembers.JoinsTransaction(member))
        {
            // The stop of a host has a bound of the same length, so a sleeper of that length proves nothing.
            await Waiting.Until(() =>
            {
                host.Clock.Advance(_grace);
                return Task.FromResult(call.IsCompleted);
            });
        }
    }
}
