using System.Text.Json;
using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class ConditionCheckTests
{
    [Theory]
    [InlineData("null")]
    [InlineData("false")]
    [InlineData("0")]
    [InlineData("{}")]
    [InlineData("\"\"")]
    [InlineData("\"``\"")]
    [InlineData("\"[kws.cond]\"")]
    [InlineData("\"[unbalanced\"")]
    [InlineData("""{"schema": "[kws.schema]"}""")]
    [InlineData("""{"schema": []}""")]
    [InlineData(
        """
        {"schema": {"0.v": "[1]", "0.w": {"gt": "[kws.min:5]"}, "0.x": {"agg": "[kws.agg]"}, "0.y": {"not": "[kws.n]"}}}
        """)]
    [InlineData("""{"schema": {"not": {"0.v": 1}, "ignored": {"near": 1}}}""")]
    [InlineData("""{"schema": {"0.v": {"not": 1, "near": 1}, "0.w": {"agg": {"sum": 1, "avg": 1}, "near": 1}}}""")]
    [InlineData("""{"schema": {"0.v": {"eq": {"near": 1}}}}""")]
    [InlineData("""{"schema": {"near": 1}}""")]
    [InlineData("""{"schema": {"0.v": [1, [{"gt": 1, "lt": 5}], "text", null]}}""")]
    public void Condition_that_may_hold_has_no_faults(string condition)
    {
        var (faults, _) = Check(condition);

        faults.Should().BeEmpty();
    }

    [Theory]
    [InlineData("true", "condition", "invalid_condition")]
    [InlineData("5", "condition", "invalid_condition")]
    [InlineData("\"text\"", "condition", "invalid_condition")]
    [InlineData("\"`[0.v]`\"", "condition", "invalid_condition")]
    [InlineData("[1]", "condition", "invalid_condition")]
    [InlineData("""{"0.v": true}""", "condition", "invalid_condition")]
    [InlineData("""{"schema": {}, "keys": []}""", "condition", "invalid_condition")]
    [InlineData("""{"schema": {"schema": {}, "keys": []}}""", "condition", "invalid_condition")]
    [InlineData("""{"schema": null}""", "condition.schema", "invalid_condition")]
    [InlineData("""{"schema": "text"}""", "condition.schema", "invalid_condition")]
    [InlineData("""{"schema": [{"0.v": 1}, 5]}""", "condition.schema[1]", "invalid_condition")]
    [InlineData("""{"schema": {"not": 5}}""", "condition.schema.not", "invalid_condition")]
    [InlineData("""{"schema": {"0.v": {"near": 1}}}""", "condition.schema[\"0.v\"]", "unknown_operator")]
    [InlineData("""{"schema": {"v": {"gt": 100, "near": 1}}}""", "condition.schema.v", "unknown_operator")]
    [InlineData("""{"schema": {"v": [1, {"not": {"near": 1}}]}}""", "condition.schema.v[1].not", "unknown_operator")]
    [InlineData("""{"schema": {"v": {"[kws.op]": 1}}}""", "condition.schema.v", "unknown_operator")]
    [InlineData("""{"schema": {"v": {"agg": {"avg": 1}}}}""", "condition.schema.v.agg", "unknown_function")]
    [InlineData(
        """{"schema": {"v": {"agg": {"sum": {"near": 1}}}}}""", "condition.schema.v.agg.sum", "unknown_operator")]
    [InlineData("""{"schema": {"v": {"agg": {}}}}""", "condition.schema.v.agg", "invalid_condition")]
    [InlineData("""{"schema": {"v": {"agg": "sum"}}}""", "condition.schema.v.agg", "invalid_condition")]
    public void A_certain_error_is_a_fault(string condition, string place, string kind)
    {
        var (faults, _) = Check(condition);

        faults.Select(fault => (fault.Place, fault.Kind)).Should().Equal((place, kind));
    }

    [Fact]
    public void All_faults_are_named()
    {
        var (faults, _) = Check("""{"schema": {"a": {"near": 1, "far": 2}, "b": {"agg": {"avg": 1}}, "c": 1}}""");

        faults.Select(fault => fault.Kind).Should().Equal("unknown_operator", "unknown_operator", "unknown_function");
    }

    [Fact]
    public void Paths_that_the_condition_reads_are_references()
    {
        var (_, references) = Check(
            """{"schema": [{"0.total": "[1.x]", "kws.limit": {"gt": 1}}, {"not": {"2": null}, "ignored": 1}]}""");

        references.Select(reference => (reference.Place, Path: string.Join('/', reference.Path), reference.Kind))
            .Should().Equal(
            ("condition.schema[0][\"0.total\"]", "0/total", ReferenceKind.Condition),
            ("condition.schema[0][\"kws.limit\"]", "kws/limit", ReferenceKind.Condition),
            ("condition.schema[1].not.2", "2", ReferenceKind.Condition));
        references.Should().OnlyContain(reference => reference.HasDefault);
    }

    [Fact]
    public void Command_without_a_condition_has_no_faults() =>
        ConditionCheck.Check(default, "condition", [], []).Should().BeTrue();

    [Fact]
    public void Condition_of_many_levels_is_a_fault()
    {
        const int many = 5_000;
        var options = new JsonDocumentOptions { MaxDepth = 2 * many };
        var condition = JsonElement.Parse(
            $$"""{"schema": {{"{\"not\":".Repeat(many)}}[]{{"}".Repeat(many)}}}""", options);
        var faults = new List<TemplateFault>();

        ConditionCheck.Check(condition, "condition", faults, []).Should().BeFalse();

        faults.Select(fault => fault.Kind).Should().Equal("limit_exceeded");
    }

    [Fact]
    public void Half_a_surrogate_pair_is_left_for_the_template_to_name()
    {
        var (faults, _) = Check("""{"schema": {"\ud800": 1, "v": {"\ud800": 1}, "w": "\ud800"}}""");

        faults.Should().BeEmpty();
    }

    private static (List<TemplateFault> Faults, List<TemplateReference> References) Check(string condition)
    {
        var faults = new List<TemplateFault>();
        var references = new List<TemplateReference>();
        ConditionCheck.Check(condition.Json(), "condition", faults, references).Should().Be(faults.Count == 0);
        return (faults, references);
    }
}
