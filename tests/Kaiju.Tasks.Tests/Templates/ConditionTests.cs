using System.Text.Json;
using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class ConditionTests
{
    private static readonly TemplateData _data = TemplateData.Environment(new Dictionary<string, JsonElement>
    {
        ["0"] = """{"total": 7, "tags": ["a", "b"]}""".Json(),
        ["id"] = "\"t-1\"".Json(),
    });

    [Theory]
    [InlineData("""{"v": {"eq": {"b": [1, true], "a": 1.0}}}""", """{"v": {"a": 1, "b": [true, 1]}}""", true)]
    [InlineData("""{"v": {"eq": [1, [2]]}}""", """{"v": [1, [3]]}""", false)]
    [InlineData("""{"v": {"eq": 9007199254740992.0}}""", """{"v": 9007199254740993}""", false)]
    [InlineData("""{"v": {"gt": 9007199254740992.0}}""", """{"v": 9007199254740993}""", true)]
    [InlineData("""{"v": {"lt": 1e999}}""", """{"v": 99999999999999999999999}""", true)]
    [InlineData("""{"v": {"in": {"1": 0}}}""", """{"v": 1}""", false)]
    [InlineData("""{"v": {"in": "abc"}}""", """{"v": ""}""", true)]
    [InlineData("""{"v": {"in": null}}""", """{"v": 1}""", false)]
    [InlineData("""{"v": {"has": "abab"}}""", """{"v": "aababab"}""", true)]
    [InlineData("""{"v": {"like": "[%]"}}""", """{"v": "*"}""", true)]
    [InlineData("""{"v": {"agg": {"max": "b"}}}""", """{"v": {"a": 1, "b": 2}}""", true)]
    [InlineData("""{"v": {"agg": {"len": 2}}}""", """{"v": "🚀ł"}""", true)]
    [InlineData("""{"v": {"agg": {"sum": 0}}}""", """{"v": ""}""", true)]
    [InlineData("""{"v": {"not": {"agg": {"sum": {"not": 3}}}}}""", """{"v": [1, 2]}""", true)]
    [InlineData("""{"v": {"not": {"gt": 5}, "agg": 7, "near": 1}}""", """{"v": 1}""", true)]
    [InlineData("""[{"v": 1}, {"v": {"near": 1}}]""", """{"v": 1}""", true)]
    [InlineData("""{"": {"has": "v"}}""", """{"v": 1}""", true)]
    public void Condition_holds_or_not(string schema, string data, bool expected) =>
        schema.Holds(data).Should().Be(expected);

    [Theory]
    [InlineData("""{"v": {"agg": {}}}""", """{"v": [1]}""", "invalid_condition")]
    [InlineData("""{"v": {"agg": 5}}""", """{"v": [1]}""", "invalid_condition")]
    [InlineData("""{"not": 5}""", "{}", "invalid_condition")]
    [InlineData("""[{"v": 2}, 5]""", """{"v": 1}""", "invalid_condition")]
    [InlineData("""{"v": {"agg": {"avg": 1}}}""", """{"v": null}""", "unknown_function")]
    [InlineData("""{"v": {"has": [1]}}""", """{"v": {"a": 1}}""", "type_error")]
    [InlineData("""{"v": {"in": "abc"}}""", """{"v": [1]}""", "type_error")]
    [InlineData("""{"v": {"agg": {"sum": 1}}}""", """{"v": "ab"}""", "type_error")]
    public void Condition_fails(string schema, string data, string kind)
    {
        var evaluate = () => schema.Holds(data);

        var thrown = evaluate.Should().Throw<TemplateException>().Which;
        thrown.Kind.Should().BeOneOf(kind);
        thrown.Phase.Should().Be(TemplatePhase.Condition);
    }

    [Fact]
    public void Error_shows_the_place_and_the_kind_of_the_test()
    {
        var evaluate = () => Run("""{"schema": [{"0.total": 1}, {"0.total": {"near": 5}}]}""");

        evaluate.Should().Throw<TemplateException>().WithMessage(
            "commands[2].condition.schema[1][\"0.total\"] (an object of 1 member): unknown_operator: there is no "
                + "operator \"near\". " +
            "There are eq, ne, gt, lt, ge, le, has, in, match, like, not, and agg.");
    }

    [Theory]
    [InlineData("null", true)]
    [InlineData("false", true)]
    [InlineData("0", true)]
    [InlineData("0.0", true)]
    [InlineData("\"\"", true)]
    [InlineData("{}", true)]
    [InlineData("[]", true)]
    [InlineData("""{"schema": {"0.total": {"ge": 7}}}""", true)]
    [InlineData("""{"schema": {"0.total": 6}}""", false)]
    [InlineData("""{"schema": []}""", false)]
    public void Command_runs_without_a_condition_or_when_it_holds(string condition, bool runs) =>
        Run(condition).Should().Be(runs);

    [Fact]
    public void Command_without_the_member_runs() =>
        CommandCondition.ShouldRun(default, _data, new TemplateBudget()).Should().BeTrue();

    [Theory]
    [InlineData("true")]
    [InlineData("1")]
    [InlineData("\"text\"")]
    [InlineData("[{}]")]
    [InlineData("""{"0.total": 7}""")]
    [InlineData("""{"schema": null}""")]
    [InlineData("""{"schema": "text"}""")]
    [InlineData("""{"schema": {"schema": {"0.total": 7}, "keys": ["0"]}}""")]
    public void Any_other_value_is_not_a_condition(string condition)
    {
        var run = () => Run(condition);

        run.Should().Throw<TemplateException>().Which.Kind.Should().Be("invalid_condition");
    }

    [Fact]
    public void Condition_of_many_levels_is_refused()
    {
        var options = new JsonDocumentOptions { MaxDepth = 20_000 };
        const int many = 10_000;
        foreach (var part in new[] { "{\"not\":", "{\"v\":{\"not\":", "[", "{\"v\":[" })
        {
            var closing = string.Concat(part.Reverse().Where(c => c is '{' or '[').Select(c => c == '{' ? '}' : ']'));
            var times = many / closing.Length;
            var schema = JsonElement.Parse(part.Repeat(times) + "[]" + closing.Repeat(times), options);

            var evaluate = () => Condition.Parse(schema).Evaluate(_data, new TemplateBudget());

            evaluate.Should().Throw<TemplateException>().Which.Kind
                .Should().BeOneOf("limit_exceeded", "unknown_operator");
        }
    }

    [Fact]
    public void Condition_as_deep_as_json_may_be_is_evaluated() =>
        ("[".Repeat(63)
            + """{"0": {"not": 5}}""" + "]".Repeat(63)).Replace("{\"not\": 5}", "5", StringComparison.Ordinal)
            .Holds("""{"0": 5}""").Should().BeTrue();

    [Fact]
    public void Scans_of_long_arrays_cost_steps()
    {
        var data = $$"""{"v": [{{string.Join(',', Enumerable.Range(0, 2000))}}]}""";
        string[] tests =
        [
            """{"has": -1}""", """{"agg": {"sum": 1}}""", """{"agg": {"max": 1}}""", """{"agg": {"all": 1}}""",
            """{"eq": [1]}""",
        ];
        foreach (var test in tests)
        {
            var budget = new TemplateBudget();
            $$"""{"v": {{test}}}""".Holds(data, budget);
            budget.Steps.Should().BeInRange(1, 8000, test);
        }

        var deep = new TemplateBudget();
        $$"""{"v": {"eq": [{{string.Join(',', Enumerable.Range(0, 2000))}}] } }""".Holds(data, deep).Should().BeTrue();
        deep.Steps.Should().BeInRange(2000, 8000);
    }

    [Fact]
    public void Search_for_a_hostile_part_takes_linear_steps()
    {
        var budget = new TemplateBudget();
        var part = "a".Repeat(50_000) + "b" + "a".Repeat(50_000);

        $$"""{"v": {"has": "{{part}}"} }""".Holds($$"""{"v": "{{"a".Repeat(300_000)}}"}""", budget).Should().BeFalse();

        budget.Steps.Should().BeLessThan(20_000);
    }

    [Fact]
    public void Large_objects_are_compared_in_linear_steps()
    {
        var members = string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"k{i}\":{i}"));
        var reversed = string.Join(',', Enumerable.Range(0, 5000).Reverse().Select(i => $"\"k{i}\":{i}"));
        var budget = new TemplateBudget();

        $$"""{"v": {"eq": { {{members}} } } }""".Holds($$"""{"v": { {{reversed}} } }""", budget).Should().BeTrue();

        budget.Steps.Should().BeLessThan(20_000);
    }

    private static bool Run(string condition) =>
        CommandCondition.ShouldRun(condition.Json(), _data, new TemplateBudget(), "commands[2].condition");
}
