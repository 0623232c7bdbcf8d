using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Storage;

public sealed class ConflictRuleTests
{
    [Theory]
    [MemberData(nameof(States))]
    public void A_task_outside_the_scope_is_neither_skipped_nor_replaced(TaskState known) =>
        Enum.GetValues<OnConflict>().Select(onConflict => ConflictRule.Decide(onConflict, State(known), isInScope: false))
            .Should().AllBeEquivalentTo(CreateResult.Refused);

    [Theory]
    [MemberData(nameof(States))]
    public void Skipping_leaves_a_known_task_alone_in_every_state(TaskState known) =>
        ConflictRule.Decide(OnConflict.Skip, State(known), isInScope: true).Should().Be(CreateResult.Skipped);

    [Theory]
    [MemberData(nameof(States))]
    public void Failing_refuses_a_known_id_in_every_state(TaskState known) =>
        ConflictRule.Decide(OnConflict.Fail, State(known), isInScope: true).Should().Be(CreateResult.Refused);

    [Theory]
    [InlineData(TaskState.Idle, CreateResult.Replaced)]
    [InlineData(TaskState.Queued, CreateResult.Refused)]
    [InlineData(TaskState.Executed, CreateResult.Refused)]
    [InlineData(TaskState.Suspended, CreateResult.Refused)]
    [InlineData(TaskState.Waiting, CreateResult.Refused)]
    [InlineData(TaskState.Finished, CreateResult.Replaced)]
    [InlineData(TaskState.Failed, CreateResult.Replaced)]
    public void Only_a_task_at_rest_is_replaced(TaskState known, CreateResult expected) =>
        ConflictRule.Decide(OnConflict.Replace, State(known), isInScope: true).Should().Be(expected);

    public static TheoryData<TaskState> States() => [.. Enum.GetValues<TaskState>()];

    private static ManagedState State(TaskState state) => new() { JobId = "job", ResultRun = "job", State = state };
}
