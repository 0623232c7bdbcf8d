using System.Text.Json;
using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class TemplateBudgetTests
{
    private const int Many = 100_000;

    [Fact]
    public void Operator_its_arguments_and_the_parts_of_its_path_are_steps()
    {
        var budget = new TemplateBudget();

        "[a.b]".FillText("""{"a": {"b": 1}}""", budget);

        budget.Steps.Should().Be(4, "one operator, one argument and two parts");
    }

    [Fact]
    public void Each_element_that_a_path_visits_is_a_step()
    {
        var few = new TemplateBudget();
        var many = new TemplateBudget();

        "[a.b:0]".FillText("""{"a": [1]}""", few);
        "[a.b:0]".FillText("""{"a": [1,1,1,1,1,1,1,1,1,1,1]}""", many);

        (many.Steps - few.Steps).Should().Be(20, "ten elements more, read and written");
    }

    [Fact]
    public void Budget_is_shared_by_all_templates_of_one_command()
    {
        var budget = new TemplateBudget(maxSteps: 10);
        "[a]".FillText("""{"a": 1}""", budget);
        "[a]".FillText("""{"a": 1}""", budget);
        "[a]".FillText("""{"a": 1}""", budget);

        var fill = () => "[a]".FillText("""{"a": 1}""", budget);

        ShouldExceed(fill, "steps");
    }

    [Fact]
    public void Output_is_counted_in_bytes_of_the_result()
    {
        var budget = new TemplateBudget();

        var filled = """{"x": "[a]", "y": [1, "`b`"]}""".Json().Fill("""{"a": "łł"}""".Json(), budget);

        filled.GetRawText().Should().Be(
            """{"x":"łł","y":[1, "`b`"]}""".Replace("""[1, "`b`"]""", """[1,"b"]""", StringComparison.Ordinal));
        budget.OutputBytes.Should().Be(
            JsonSerializer.SerializeToUtf8Bytes(filled).Length - 8, "ł is escaped by the serializer, but not here");
    }

    [Fact]
    public void Output_larger_than_the_limit_is_refused_before_it_is_built()
    {
        var data = $$"""{"big": "{{"x".Repeat(1000)}}"}""";
        var json = $"[{string.Join(',', Enumerable.Repeat("\"[big]\"", 2000))}]".Json();

        ShouldExceed(() => json.Fill(data.Json()), "1048576 bytes");
        ShouldExceed(() => "[big]".FillText(data, new TemplateBudget(maxOutputBytes: 1001)), "1001 bytes");
        "[big]".FillText(data, new TemplateBudget(maxOutputBytes: 1002)).Should().HaveLength(1002);
    }

    [Fact]
    public void Format_that_doubles_its_text_repeatedly_is_stopped()
    {
        // Each level writes the data's text, which contains the fields again, ten times.
        var data = $$"""{"a": "{{"{a}".Repeat(10)}}"}""";
        var template = "[!f:".Repeat(30) + "{a}" + "]".Repeat(30);

        ShouldExceed(() => template.FillText(data), "command");
    }

    [Fact]
    public void Nested_selects_over_arrays_of_arrays_are_stopped()
    {
        var inner = $"[{string.Join(',', Enumerable.Repeat("[{},{},{},{}]", 10))}]";
        var data = $$"""{"a": [{{string.Join(',', Enumerable.Repeat(inner, 10))}}]}""";
        var template = "[a.x:".Repeat(20) + "1" + "]".Repeat(20);

        ShouldExceed(() => template.FillText(data), "command");
    }

    [Fact]
    public void Value_that_grows_deeper_than_the_limit_is_refused()
    {
        var deep = "[".Repeat(40) + "0" + "]".Repeat(40);
        var data = $$"""{"a": {{deep}}}""";

        ShouldExceed(() => "[a.x:[a.x:[a.x:1]]]".FillText(data), "deeper than 64");
        ShouldExceed(() => "[!x:str:[a.x:[a.x:1]]]".FillText(data), "deeper than 64");
        ShouldExceed(() => ("[".Repeat(30) + "\"[a]\"" + "]".Repeat(30)).Json().Fill(data.Json()), "deeper than 64");
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("[!x:str:", "]")]
    [InlineData("[x:", "]")]
    public void Operators_nested_a_hundred_thousand_times_are_refused(string open, string close)
    {
        var template = (open.Repeat(Many) + "a" + close.Repeat(Many)).JsonText();

        var parse = () => Template.Parse(template);

        parse.Should().Throw<TemplateException>().Which.Kind.Should().Be("limit_exceeded");
    }

    [Fact]
    public void Sixty_four_operators_may_be_nested()
    {
        ("[x:".Repeat(64) + "1" + "]".Repeat(64)).FillText().Should().Be("1");
        ShouldExceed(() => ("[x:".Repeat(65) + "1" + "]".Repeat(65)).FillText(), "deeper than 64");
    }

    [Theory]
    [InlineData("[")]
    [InlineData("(")]
    [InlineData("{'a':")]
    [InlineData("-")]
    [InlineData("'")]
    [InlineData("not")]
    [InlineData("{")]
    public void Hostile_literal_ends_with_an_error(string part)
    {
        var data = $$"""{"v": "{{part.Repeat(Many)}}"}""";

        var fill = () => "[!e:[v]]".FillText(data);

        fill.Should().Throw<TemplateException>().Which.Kind.Should().BeOneOf("limit_exceeded", "literal_error");
    }

    [Fact]
    public void Sixty_four_levels_of_a_literal_may_be_nested()
    {
        string Literal(int depth) => $$"""{"v": "{{"(".Repeat(depth)}}1{{",)".Repeat(depth)}}"}""";

        "[!e:[v]]".FillText(Literal(64)).Should().Be("[".Repeat(64) + "1" + "]".Repeat(64));
        ShouldExceed(() => "[!e:[v]]".FillText(Literal(65)), "deeper than 64");
    }

    [Fact]
    public void Json_nested_deeper_than_the_limit_is_refused_at_parsing()
    {
        var json = JsonElement.Parse("[".Repeat(5000) + "]".Repeat(5000), new JsonDocumentOptions { MaxDepth = 6000 });

        var parse = () => Template.Parse(json);

        parse.Should().Throw<TemplateException>().Which.Kind.Should().Be("limit_exceeded");
    }

    [Fact]
    public void Data_nested_deeper_than_the_limit_is_refused_where_it_is_walked()
    {
        var options = new JsonDocumentOptions { MaxDepth = 20_000 };
        var data = JsonElement.Parse($$"""{"a": {{"[".Repeat(9000)}}{{"]".Repeat(9000)}}}""", options);

        ShouldExceed(() => "[a.b]".JsonText().Fill(data), "deeper than 64");
        ShouldExceed(() => "[!x:str:[a]]".JsonText().Fill(data), "deeper than 64");
        ShouldExceed(() => "[!x:max:[a]:[a]]".JsonText().Fill(data), "deeper than 64");
        ShouldExceed(() => """["[a]"]""".Json().Fill(data), "deeper than 64");
    }

    [Theory]
    [InlineData("[!x:len:[t]]")]
    [InlineData("[!x:upper:[t]]")]
    [InlineData("[!x:split:'a':[t]]")]
    [InlineData("[!x:max:[t]:[t]]")]
    [InlineData("[!e:[t]:1]")]
    [InlineData("[!f:{t}]")]
    [InlineData("[!x:str:[l]]")]
    [InlineData("[!x:str:[n]]")]
    public void Long_values_cost_steps(string template)
    {
        var text = "a".Repeat(64_000);
        var data = $$"""{"t": "{{text}}", "n": 1.{{"0".Repeat(64_000)}}1, "l": [{{"1,".Repeat(1000)}}1]}""";

        ShouldExceed(() => template.FillText(data, new TemplateBudget(maxSteps: 900)), "900 steps");
    }

    [Fact]
    public void Lookups_in_large_objects_cost_more_steps()
    {
        var members = string.Join(',', Enumerable.Range(0, 3200).Select(i => $"\"k{i}\":{i}"));
        var budget = new TemplateBudget();

        "[o.k5]".FillText($$"""{"o": { {{members}} } }""", budget).Should().Be("5");

        budget.Steps.Should().BeGreaterThan(100);
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(1, -1, 1)]
    [InlineData(1, 1, 0)]
    [InlineData(1, 1, 100_000)]
    public void Limits_must_be_in_range(int steps, int output, int depth)
    {
        var create = () => new TemplateBudget(steps, output, depth);

        create.Should().Throw<ArgumentOutOfRangeException>();
    }

    private static void ShouldExceed(Action act, string what)
    {
        var thrown = act.Should().Throw<TemplateException>().Which;
        thrown.Kind.Should().Be("limit_exceeded");
        thrown.Reason.Should().Contain(what);
    }

    private static void ShouldExceed(Func<object> act, string what) => ShouldExceed(() => { act(); }, what);
}
