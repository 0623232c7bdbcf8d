using System.Text.Json;
using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Conformance;

[Trait("Category", "Conformance")]
public sealed class ConditionVectors
{
    public static TheoryData<string> Names => ConformanceData.Conditions.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Condition_gives_the_result_of_the_vector(string name)
    {
        if (!ConformanceData.Conditions.TryGet(name, out var vector) || ConformanceData.IsInformational(vector))
        {
            return;
        }

        var expected = ConformanceData.Expected(vector);
        var evaluate = () => Evaluate(vector);
        if (expected.TryGetProperty("result", out var result))
        {
            evaluate().Should().Be(result.GetBoolean());
            return;
        }

        var thrown = evaluate.Should().Throw<TemplateException>().Which;
        ConformanceData.Group(thrown.Kind).Should().Be(
            ConformanceData.Group(expected.GetProperty("error_kind").GetString()!));
    }

    private static bool Evaluate(JsonElement vector)
    {
        var condition = vector.GetProperty("condition");
        var data = TemplateData.Of(vector.GetProperty("data"));
        var budget = new TemplateBudget();
        return vector.GetProperty("mode").GetString() == "direct"
            ? Condition.Parse(condition).Evaluate(data, budget)
            : CommandCondition.ShouldRun(Template.Parse(condition).Fill(data, budget), data, budget);
    }
}
