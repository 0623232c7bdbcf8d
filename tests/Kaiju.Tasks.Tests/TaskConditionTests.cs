using Kaiju.Tasks.Templates;

namespace Kaiju.Tasks.Tests;

public sealed class TaskConditionTests
{
    private const string Data = """{"0": {"total": 10, "tags": ["a", "b"], "name": "box", "none": null, "on": true}}""";

    public static TheoryData<string, TaskCondition, bool> Conditions => new()
    {
        { "equal number", TaskCondition.Where("0.total").EqualTo(10), true },
        { "equal text", TaskCondition.Where("0.name").EqualTo("bag"), false },
        { "equal flag", TaskCondition.Where("0.on").EqualTo(true), true },
        { "not equal", TaskCondition.Where("0.name").NotEqualTo("bag"), true },
        { "greater", TaskCondition.Where("0.total").GreaterThan(9.5m), true },
        { "greater, same", TaskCondition.Where("0.total").GreaterThan(10), false },
        { "at least", TaskCondition.Where("0.total").AtLeast(10), true },
        { "less", TaskCondition.Where("0.total").LessThan(10), false },
        { "at most", TaskCondition.Where("0.total").AtMost(10), true },
        { "contains", TaskCondition.Where("0.tags").Contains("b"), true },
        { "in", TaskCondition.Where("0.name").In("bag", "box"), true },
        { "matches", TaskCondition.Where("0.name").Matches("b?x"), true },
        { "null", TaskCondition.Where("0.none").IsNull(), true },
        { "missing is null", TaskCondition.Where("0.nope").IsNull(), true },
        { "not null", TaskCondition.Where("0.none").IsNotNull(), false },
        { "and", TaskCondition.Where("0.total").GreaterThan(5).And(TaskCondition.Where("0.total").LessThan(9)), false },
        { "and, both", TaskCondition.Where("0.total").GreaterThan(5).And(
            TaskCondition.Where("0.total").LessThan(11)), true },
        { "or", TaskCondition.Where("0.total").GreaterThan(50).Or(TaskCondition.Where("0.name").EqualTo("box")), true },
        { "or, neither", TaskCondition.Where("0.total").GreaterThan(50).Or(
            TaskCondition.Where("0.name").EqualTo("bag")), false },
        { "not", TaskCondition.Where("0.total").GreaterThan(50).Not(), true },
        { "not of and", TaskCondition.Where("0.total").GreaterThan(5).And(
            TaskCondition.Where("0.name").EqualTo("box")).Not(), false },
    };

    [Theory]
    [MemberData(nameof(Conditions))]
    public void A_built_condition_holds_as_written(string name, TaskCondition condition, bool holds) =>
        CommandCondition.ShouldRun(condition.Json, TemplateData.Of(Json.Of(Data)), new TemplateBudget()).Should()
            .Be(holds, name);

    [Fact]
    public void The_stored_form_is_a_schema() =>
        TaskCondition.Where("0.total").GreaterThan(0).Json.GetRawText()
            .Should().Be("""{"schema":{"0.total":{"gt":0}}}""");

    [Fact]
    public void Many_joined_conditions_are_not_nested()
    {
        var all = Enumerable.Range(0, 100).Select(i => TaskCondition.Where("0.total").NotEqualTo(i + 100))
            .Aggregate((a, b) => a.And(b));
        var any = Enumerable.Range(0, 100).Select(i => TaskCondition.Where("0.total").EqualTo(i))
            .Aggregate((a, b) => a.Or(b));

        foreach (var condition in new[] { all, any })
        {
            CommandCondition.ShouldRun(condition.Json, TemplateData.Of(Json.Of(Data)), new TemplateBudget()).Should()
                .BeTrue();
        }
    }

    [Fact]
    public void A_value_that_is_not_a_condition_cannot_be_combined()
    {
        var combine = () => TaskCondition.FromJson(Json.Of("5")).Not();

        combine.Should().Throw<InvalidOperationException>().WithMessage("5 is not a condition that can be combined*");
    }
}
