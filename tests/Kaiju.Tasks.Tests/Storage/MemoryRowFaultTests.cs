using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Storage;

/// <summary>One task that cannot be decided stops no duty of the store in memory.</summary>
public sealed class MemoryRowFaultTests : IAsyncLifetime
{
    private static readonly ExecutorInfo _executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };

    private LifecycleFunction _next = TaskLifecycle.Next;
    private OpenedStore? _opened;

    private ITaskStore Store => _opened!.Store;

    public async Task InitializeAsync() =>
        _opened = await MemoryStores.Open(
            new LifecycleRules(),
            TaskTestHost.Start,
            (task, state, happened, now, rules) => _next(task, state, happened, now, rules));

    public async Task DisposeAsync() => await _opened!.DisposeAsync();

    [Fact]
    public async Task A_rule_that_fails_on_one_task_stops_none_of_the_others()
    {
        await CreateDueAsync("a", "b", "c");
        FailOn<TaskEvent.QueueDue>("b");

        (await MovedAsync(Store.QueueDueAsync(10, default))).Should().Equal("a", "c");

        (await Store.GetAsync("b", default))!.State.Should().Be(TaskState.Idle);
        (await Store.GetTimeToNextDutyAsync(default)).Should().BeNull("a task that is set aside makes no manager busy");
    }

    [Fact]
    public async Task A_task_that_is_set_aside_is_tried_again_after_a_minute_and_then_after_two()
    {
        await CreateDueAsync("b");
        FailOn<TaskEvent.QueueDue>("b");
        await Store.QueueDueAsync(10, default);

        await _opened!.Advance(TimeSpan.FromSeconds(60));
        (await Store.GetTimeToNextDutyAsync(default)).Should().Be(TimeSpan.Zero);
        (await Store.QueueDueAsync(10, default)).Should().BeEmpty("it fails again");

        _next = TaskLifecycle.Next;
        await _opened.Advance(TimeSpan.FromSeconds(119));
        (await Store.QueueDueAsync(10, default)).Should().BeEmpty();
        await _opened.Advance(TimeSpan.FromSeconds(1));
        (await MovedAsync(Store.QueueDueAsync(10, default))).Should().Equal("b");
    }

    [Fact]
    public async Task A_reset_or_a_deletion_ends_the_exclusion_of_a_task_that_is_set_aside()
    {
        await CreateDueAsync("b");
        FailOn<TaskEvent.QueueDue>("b");
        await Store.QueueDueAsync(10, default);
        _next = TaskLifecycle.Next;

        await Store.ResetAsync("b", default);

        (await MovedAsync(Store.QueueDueAsync(10, default))).Should().Equal("b");
        await Store.DeleteAsync("b", default);
        await _opened!.Advance(TimeSpan.FromMinutes(1));
        (await Store.QueueDueAsync(10, default)).Should().BeEmpty("it is gone and is not taken back");
    }

    [Fact]
    public async Task A_dead_executors_task_that_cannot_be_decided_blocks_none_of_the_others()
    {
        await CreateDueAsync("a", "b", "c");
        await Store.QueueDueAsync(10, default);
        await Store.ClaimAsync(_executor, ["a", "b", "c"], default);
        FailOn<TaskEvent.Interrupted>("a");
        await _opened!.Advance(TimeSpan.FromSeconds(91));

        (await MovedAsync(Store.ExpelDeadExecutorsAsync(null, 1, default))).Should().BeEmpty("it stands first");
        (await MovedAsync(Store.ExpelDeadExecutorsAsync(null, 1, default))).Should().Equal("b");
        (await MovedAsync(Store.ExpelDeadExecutorsAsync(null, 10, default))).Should().Equal("c");

        (await Store.ListExecutorsAsync(default)).Should().ContainSingle("it still holds something");
    }

    [Fact]
    public async Task A_duty_that_changes_nothing_is_dropped()
    {
        await CreateDueAsync("a", "b");
        _next = (task, state, happened, now, rules) =>
            task.Id == "a" && happened is TaskEvent.QueueDue
                ? null
                : TaskLifecycle.Next(task, state, happened, now, rules);

        (await MovedAsync(Store.QueueDueAsync(1, default))).Should().Equal("b");
        (await Store.GetTimeToNextDutyAsync(default)).Should().BeNull();

        _next = TaskLifecycle.Next;
        (await MovedAsync(Store.QueueDueAsync(1, default))).Should().BeEmpty();
        await Store.ResetAsync("a", default);
        (await MovedAsync(Store.QueueDueAsync(1, default))).Should().Equal("a");
    }

    private static async Task<IEnumerable<string>> MovedAsync(ValueTask<IReadOnlyList<TaskMove>> duty) =>
        (await duty).Select(move => move.TaskId).Order(StringComparer.Ordinal);

    private void FailOn<TEvent>(string id) => _next = (task, state, happened, now, rules) =>
        task.Id == id && happened is TEvent
            ? throw new FormatException("This machine does not know the time zone.")
            : TaskLifecycle.Next(task, state, happened, now, rules);

    /// <summary>Creates tasks that are due in ten seconds, and advances the clock by ten seconds.</summary>
    private async Task CreateDueAsync(params string[] ids)
    {
        await Store.CreateAsync(
            [.. ids.Select(
                id => Checked.Definition(
                    new TaskDefinition
                    {
                        Id = id,
                        RunAt = TaskTestHost.Start.AddSeconds(10),
                        Commands = [new("do")],
                    }))],
            OnConflict.Fail,
            default);
        await _opened!.Advance(TimeSpan.FromSeconds(10));
    }
}
