using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class TemplateErrorTests
{
    [Fact]
    public void Parse_errors_of_the_whole_template_are_all_named()
    {
        var faults = new List<TemplateFault>();
        var json =
            """
            {"method": "[!zz:1]", "params": {"items": [1, "ok", "[a"], "a b": ["[]"]}, "max": "[!x]", "fine": "[a]"}
            """.Json();

        Template.TryParse(json, "", faults, out var parsed).Should().BeFalse();

        parsed.Should().BeNull();
        faults.Select(fault => (fault.Place, fault.Kind)).Should().Equal(
            ("method", "unknown_operator"),
            ("params.items[2]", "unbalanced"),
            ("params[\"a b\"][0]", "empty_operator"),
            ("max", "no_arguments"));
    }

    [Fact]
    public void No_more_than_a_hundred_faults_are_named()
    {
        var faults = new List<TemplateFault>();
        var json = $"[{string.Join(',', Enumerable.Repeat("\"[\"", 5000))}]".Json();

        Template.TryParse(json, "$", faults, out _).Should().BeFalse();

        faults.Should().HaveCount(TemplateParser.MostFaults);
    }

    [Fact]
    public void Template_without_faults_is_parsed_and_names_none()
    {
        var faults = new List<TemplateFault>();

        Template.TryParse("""["[a]"]""".Json(), "$", faults, out var parsed).Should().BeTrue();

        parsed.Should().NotBeNull();
        faults.Should().BeEmpty();
    }

    [Fact]
    public void Parse_error_names_the_place_the_cause_and_the_fix()
    {
        var parse = () => Template.Parse("""{"items": [0, 1, "[a"]}""".Json(), "params");

        var thrown = parse.Should().Throw<TemplateException>().Which;
        thrown.Message.Should().Be(
            "params.items[2]: \"[a\": unbalanced: the text only starts with \"[\". Use the format operator or "
                + "backquotes.");
        thrown.Phase.Should().Be(TemplatePhase.Parse);
        thrown.Place.Should().Be("params.items[2]");
        thrown.Text.Should().Be("[a");
        thrown.Kind.Should().Be("unbalanced");
    }

    [Fact]
    public void Error_in_an_argument_names_the_argument()
    {
        var parse = () => Template.Parse("[[k].x]".JsonText());

        parse.Should().Throw<TemplateException>().WithMessage(
            "$: \"[[k].x]\": unbalanced: the argument \"[k].x\" only starts with \"[\". Use the format operator or "
                + "backquotes.");
    }

    [Fact]
    public void Missing_key_error_names_the_key_and_the_path()
    {
        var fill = () => """{"to": {"name": "[kws.user.name]"}}""".Json().Fill("""{"kws": {"user": {}}}""".Json());

        var thrown = fill.Should().Throw<TemplateException>().Which;
        thrown.Message.Should().Be(
            "$.to.name: \"[kws.user.name]\": missing_key: there is no \"name\" in the data for the path "
                + "\"kws.user.name\". " +
            "A default, as in [kws.user.name:None], makes it optional.");
        thrown.Phase.Should().Be(TemplatePhase.Fill);
    }

    [Theory]
    [InlineData(
        "[!x:upper:abc]",
        "literal_error",
        "abc is not a literal. Text needs quotes, arrays and objects need backquotes around them.")]
    [InlineData("[!x:diff:5]", "index_error", "diff needs 2 arguments or more, and has 1.")]
    [InlineData("[!x:upper:5]", "type_error", "upper wants text as argument 1, not a number.")]
    [InlineData(
        "[!f:{a.b}]",
        "format_error",
        "the field {a.b} has one of . [ ! { in its name; parts of a path are joined by -.")]
    [InlineData("[!f:}]", "format_error", "a lone brace; {{ and }} stand for braces in the text.")]
    [InlineData("[!x:int:'x']", "value_error", "int: a text of 1 character is not a whole number.")]
    public void Reason_is_a_sentence(string template, string kind, string reason)
    {
        var fill = () => template.FillText();

        var thrown = fill.Should().Throw<TemplateException>().Which;
        thrown.Kind.Should().Be(kind);
        thrown.Reason.Should().Be(reason);
    }

    [Fact]
    public void Long_texts_and_names_are_cut_in_errors()
    {
        var json = $$"""{"{{"n".Repeat(10_000)}}": "[{{"t".Repeat(10_000)}}"}""".Json();

        var parse = () => Template.Parse(json);

        var thrown = parse.Should().Throw<TemplateException>().Which;
        thrown.Text.Should().HaveLength(ErrorText.Longest + 1).And.EndWith("t…");
        thrown.Message.Length.Should().BeLessThan(500);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_a_fault_and_not_a_crash()
    {
        var faults = new List<TemplateFault>();

        Template.TryParse("""{"a": "\ud800", "\udc00": 1}""".Json(), "", faults, out _).Should().BeFalse();

        faults.Select(fault => fault.Kind).Should().Equal("value_error", "value_error");
    }

    [Theory]
    [InlineData("[!x:upper:[a]]")]
    [InlineData("[!f:{a}]")]
    [InlineData("[o.x:1]")]
    [InlineData("[!x:str:[o]]")]
    public void Half_a_surrogate_pair_in_the_data_fails_only_where_it_is_read(string template)
    {
        const string data = """{"a": "\ud800", "o": {"\udc00": 1}}""";
        var fill = () => template.FillText(data);

        fill.Should().Throw<TemplateException>().Which.Kind.Should().Be("value_error");
        "[a]".FillText(data).Should().Be("""
            "\ud800"
            """);
    }

    [Fact]
    public void Undefined_value_is_refused()
    {
        var parse = () => Template.Parse(default);

        parse.Should().Throw<ArgumentException>();
    }
}
