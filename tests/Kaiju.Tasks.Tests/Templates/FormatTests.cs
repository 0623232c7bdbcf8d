using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class FormatTests
{
    [Theory]
    [InlineData(".2f", "2.675", "2.67")]
    [InlineData(".0f", "0.5", "0")]
    [InlineData(".0f", "1.5", "2")]
    [InlineData("f", "1", "1.000000")]
    [InlineData(".1f", "true", "1.0")]
    [InlineData("05d", "-42", "-0042")]
    [InlineData("d", "true", "1")]
    [InlineData(">6", "true", "     1")]
    [InlineData("08.3f", "-3.14159", "-003.142")]
    [InlineData("<05", "42", "42000")]
    [InlineData("05", "\"ab\"", "ab000")]
    [InlineData(".2", "\"🚀🚀🚀\"", "🚀🚀")]
    [InlineData("^5", "\"🚀\"", "  🚀  ")]
    [InlineData(".3", "3.14159", "3.14")]
    [InlineData(".2", "314.159", "3.1e+02")]
    [InlineData("6", "1.5", "   1.5")]
    [InlineData("6", "7", "     7")]
    [InlineData("", "null", "None")]
    [InlineData(".3f", "12345678901234567890", "12345678901234567168.000")]
    [InlineData("d", "12345678901234567890", "12345678901234567890")]
    [InlineData(".20f", "0.1", "0.10000000000000000555")]
    public void Field_is_written_by_its_spec(string spec, string value, string expected) =>
        $"[!f:`{{v:{spec}}}`]".FillText($$"""{"v": {{value}}}""").Should().Be(expected.Quoted());

    [Theory]
    [InlineData("d", "1.5")]
    [InlineData("d", "\"a\"")]
    [InlineData("f", "\"1\"")]
    [InlineData(".2d", "5")]
    [InlineData(".2", "5")]
    [InlineData("5", "null")]
    [InlineData("5", "[]")]
    [InlineData("5", "{}")]
    [InlineData("x", "5")]
    [InlineData(",", "5")]
    [InlineData("*>5", "5")]
    [InlineData(".f", "5")]
    [InlineData("5 ", "5")]
    [InlineData("=5", "5")]
    public void Spec_that_does_not_fit_is_a_format_error(string spec, string value) =>
        ShouldFail($"[!f:`{{v:{spec}}}`]", $$"""{"v": {{value}}}""", "format_error");

    [Theory]
    [InlineData("99999999999999999999")]
    [InlineData("1001")]
    [InlineData(".1001f")]
    [InlineData("0.99999999f")]
    public void Width_and_precision_have_a_limit(string spec) =>
        ShouldFail($"[!f:`{{v:{spec}}}`]", """{"v": 1}""", "limit_exceeded");

    [Theory]
    [InlineData("{{{a}}}", "\"{1}\"")]
    [InlineData("{a}}}", "\"1}\"")]
    [InlineData("{}", null)]
    [InlineData("{12}", null)]
    [InlineData("{a!r}", null)]
    [InlineData("{a.b}", null)]
    [InlineData("{a{b}}", null)]
    [InlineData("{", null)]
    [InlineData("}", null)]
    [InlineData("{a}}", null)]
    [InlineData("{a]}", "\"???\"")]
    [InlineData("{ a}", "\"???\"")]
    [InlineData("{-}", "\"{'a': 1}\"")]
    public void Braces_are_read_as_in_Python(string text, string? expected)
    {
        var template = $"[!f:`{text}`]";
        if (expected is null)
        {
            ShouldFail(template, """{"a": 1}""", "format_error");
        }
        else
        {
            template.FillText("""{"a": 1}""").Should().Be(expected);
        }
    }

    [Theory]
    [InlineData("1e16", "1e+16")]
    [InlineData("9999999999999998.0", "9999999999999998.0")]
    [InlineData("0.0001", "0.0001")]
    [InlineData("0.00001", "1e-05")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("-0", "0")]
    [InlineData("1.50", "1.5")]
    [InlineData("1e5", "100000.0")]
    [InlineData("5e-324", "5e-324")]
    [InlineData("1e999", "inf")]
    [InlineData(
        """[1.0, "it's", "\"", "\n", {"k": null}, [], {}]""", """[1.0, "it's", '"', '\n', {'k': None}, [], {}]""")]
    [InlineData(
        """["\u0007", "é", "\u00a0", "\u2028", "🚀", "both ' and \""]""",
        """['\x07', 'é', '\xa0', '\u2028', '🚀', 'both \' and "']""")]
    public void Text_forms_are_those_of_Python(string value, string expected) =>
        "[!x:str:[v]]".JsonText().Fill($$"""{"v": {{value}}}""".Json()).GetString().Should().Be(expected);

    [Fact]
    public void Only_text_is_formatted_and_only_over_named_members()
    {
        ShouldFail("[!f:[a]]", """{"a": 1}""", "type_error");
        ShouldFail("[!f:text]", "[]", "format_error");
    }

    private static void ShouldFail(string template, string data, string kind)
    {
        var fill = () => template.FillText(data);

        fill.Should().Throw<TemplateException>().Which.Kind.Should().Be(kind);
    }
}
