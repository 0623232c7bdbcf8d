using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Storage;

public sealed class CreationRulesTests
{
    [Theory]
    [MemberData(nameof(States))]
    public void A_task_outside_the_scope_is_neither_skipped_nor_replaced(TaskState known) =>
        Enum.GetValues<OnConflict>().Select(onConflict => Decide(onConflict, known, isInScope: false))
            .Should().AllBeEquivalentTo(CreateResult.Refused);

    [Theory]
    [MemberData(nameof(States))]
    public void Skipping_leaves_a_known_task_alone_in_every_state(TaskState known) =>
        Decide(OnConflict.Skip, known, isInScope: true).Should().Be(CreateResult.Skipped);

    [Theory]
    [MemberData(nameof(States))]
    public void Failing_refuses_a_known_id_in_every_state(TaskState known) =>
        Decide(OnConflict.Fail, known, isInScope: true).Should().Be(CreateResult.Refused);

    [Theory]
    [InlineData(TaskState.Idle, CreateResult.Replaced)]
    [InlineData(TaskState.Queued, CreateResult.Refused)]
    [InlineData(TaskState.Executing, CreateResult.Refused)]
    [InlineData(TaskState.Suspended, CreateResult.Refused)]
    [InlineData(TaskState.Waiting, CreateResult.Refused)]
    [InlineData(TaskState.Finished, CreateResult.Replaced)]
    [InlineData(TaskState.Failed, CreateResult.Replaced)]
    public void Only_a_task_at_rest_is_replaced(TaskState known, CreateResult expected) =>
        Decide(OnConflict.Replace, known, isInScope: true).Should().Be(expected);

    [Fact]
    public void A_batch_of_different_ids_is_one_wave() => Waves("a", "b", "c").Should().Equal("0 1 2");

    [Fact]
    public void A_repeated_id_is_in_a_later_wave() =>
        Waves("a", "b", "a", "c", "a", "b").Should().Equal("0 1 3", "2 5", "4");

    [Fact]
    public void Ids_that_differ_in_case_are_different() => Waves("a", "A").Should().Equal("0 1");

    [Fact]
    public void An_empty_batch_has_no_wave() => Waves().Should().BeEmpty();

    [Fact]
    public void A_new_task_that_is_due_at_once_wakes_executors() =>
        HintsOf(runAt: null).Should().Be(StoreHintKinds.Queued);

    [Fact]
    public void A_new_task_that_is_due_later_wakes_managers() =>
        HintsOf(TaskTestHost.Start.AddHours(1)).Should().Be(StoreHintKinds.Duty);

    [Fact]
    public void A_batch_with_a_definition_that_was_not_prepared_is_refused_as_a_whole() =>
        FluentActions.Invoking(
            () => CreationRules.ThrowIfNotPrepared([new TaskDefinition { Id = "a", Commands = [new("do")] }]))
            .Should().Throw<ArgumentException>().WithMessage("*is not complete*");

    public static TheoryData<TaskState> States() => [.. Enum.GetValues<TaskState>()];

    private static CreateResult Decide(OnConflict onConflict, TaskState known, bool isInScope)
    {
        var state = new ManagedState { JobId = "job", ResultRun = "job", State = known };
        return CreationRules.Decide(onConflict, state, isInScope);
    }

    private static IEnumerable<string> Waves(params string[] ids) => CreationRules
        .Waves([.. ids.Select(id => new TaskDefinition { Id = id, Commands = [new("do")] })])
        .Select(places => string.Join(' ', places.Order()));

    private static StoreHintKinds HintsOf(DateTimeOffset? runAt)
    {
        var task = new TaskDefinition { Id = "a", RunAt = runAt, Commands = [new("do")] };
        return CreationRules.HintsOf(TaskLifecycle.Create(task, "job", TaskTestHost.Start));
    }
}
