using System.Text.Json;
using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Conformance;

[Trait("Category", "Conformance")]
public sealed class TemplateVectors
{
    public static TheoryData<string> Names => ConformanceData.Templates.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Template_gives_the_result_of_the_vector(string name)
    {
        if (!ConformanceData.Templates.TryGet(name, out var vector) || ConformanceData.IsInformational(vector))
        {
            return;
        }

        var expected = ConformanceData.Expected(vector);
        var fill = () => Template.Parse(vector.GetProperty("template"))
            .Fill(TemplateData.Of(vector.GetProperty("data")), new TemplateBudget());
        if (expected.TryGetProperty("result", out var result))
        {
            var filled = fill();
            ConformanceData.Same(filled, result).Should().BeTrue($"{filled} should be {result}");
            return;
        }

        var thrown = fill.Should().Throw<TemplateException>().Which;
        ConformanceData.Group(thrown.Kind).Should().Be(
            ConformanceData.Group(expected.GetProperty("error_kind").GetString()!));
        thrown.Phase.ToString().Should().BeEquivalentTo(expected.GetProperty("error_phase").GetString());
    }
}
