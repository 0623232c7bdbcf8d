using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Storage;

public sealed class StoreHintTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;

    [Fact]
    public void A_new_task_that_is_due_at_once_wakes_executors() => KindsOfNew(runAt: null).Should().Be(StoreHintKinds.Queued);

    [Fact]
    public void A_new_task_that_is_due_later_wakes_managers() => KindsOfNew(_now.AddHours(1)).Should().Be(StoreHintKinds.Duty);

    private static StoreHintKinds KindsOfNew(DateTimeOffset? runAt)
    {
        var task = new TaskDefinition { Id = "a", RunAt = runAt, Commands = [new("do")] };
        return StoreHint.KindsOfNew(TaskLifecycle.Create(task, "job", _now));
    }
}
