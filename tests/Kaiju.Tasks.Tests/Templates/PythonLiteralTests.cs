using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class PythonLiteralTests
{
    [Theory]
    [InlineData("42", "42")]
    [InlineData(" \t42 \n", "42")]
    [InlineData("- 3", "-3")]
    [InlineData("+7", "7")]
    [InlineData("0x_1F", "31")]
    [InlineData("-0xff", "-255")]
    [InlineData("1_000.5", "1000.5")]
    [InlineData("01.5", "1.5")]
    [InlineData(".5e-3", "0.0005")]
    [InlineData("5.", "5.0")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("(1)", "1")]
    [InlineData("(1,)", "[1]")]
    [InlineData("()", "[]")]
    [InlineData("[1,\n 'a',]", "[1,\"a\"]")]
    [InlineData("{'a': {\"b\": (True, null)}, }", """{"a":{"b":[true,null]}}""")]
    [InlineData("{'a': 1, 'b': 2, 'a': 3}", """{"a":3,"b":2}""")]
    [InlineData("'it\\'s \\q'", """
        "it's \\q"
        """)]
    [InlineData("'\\ud83d\\ude80 \\U0001F680'", "\"\\uD83D\\uDE80 \\uD83D\\uDE80\"")]
    [InlineData("false", "false")]
    public void Literal_is_read(string text, string expected) => Eval(text).Should().Be(Normal(expected));

    [Theory]
    [InlineData("")]
    [InlineData("word")]
    [InlineData("TRUE")]
    [InlineData("Nonesuch")]
    [InlineData("--1")]
    [InlineData("-True")]
    [InlineData("-'a'")]
    [InlineData("1__0")]
    [InlineData("1_")]
    [InlineData("007")]
    [InlineData("00")]
    [InlineData("0x")]
    [InlineData("0b1")]
    [InlineData("1e")]
    [InlineData(".")]
    [InlineData("1j")]
    [InlineData("1e400")]
    [InlineData("1, 2")]
    [InlineData("1 + 1")]
    [InlineData("[1 2]")]
    [InlineData("[,]")]
    [InlineData("[1")]
    [InlineData("{1: 2}")]
    [InlineData("{'a'}")]
    [InlineData("{'a': }")]
    [InlineData("'a' 'b'")]
    [InlineData("b'a'")]
    [InlineData("'open")]
    [InlineData("'a\nb'")]
    [InlineData("'\\x4'")]
    [InlineData("'\\U00110000'")]
    [InlineData("'\\ud800'")]
    [InlineData("'\\")]
    [InlineData("5 # five")]
    public void Any_other_text_is_not_a_literal(string text)
    {
        var eval = () => Eval(text);

        eval.Should().Throw<TemplateException>().Which.Kind.Should().Be("literal_error");
        "[x:[!x:str:[v]]]".FillText($$"""{"v": {{text.Quoted()}}}""").Should().NotBeNull();
    }

    [Fact]
    public void Integers_have_four_hundred_digits_at_most()
    {
        Eval("9".Repeat(400)).Should().Be("9".Repeat(400));

        var longer = () => Eval("9".Repeat(401));
        var sum = () => "[!x:sum:[n]:1]".FillText($$"""{"n": {{"9".Repeat(400)}}}""");
        var read = () => "[!x:int:[n]]".FillText($$"""{"n": {{"9".Repeat(401)}}}""");

        longer.Should().Throw<TemplateException>().Which.Kind.Should().Be("literal_error");
        sum.Should().Throw<TemplateException>().Which.Kind.Should().Be("value_error");
        read.Should().Throw<TemplateException>().Which.Kind.Should().Be("value_error");
    }

    [Theory]
    [InlineData("John Smith")]
    [InlineData("127.0.0.1")]
    [InlineData("1e400")]
    [InlineData("((")]
    [InlineData("it's")]
    public void Default_that_is_not_a_literal_is_text(string text) =>
        $"[x:{text}]".FillText().Should().Be(text.Quoted());

    private static string Eval(string literal) => "[!e:[v]]".FillText($$"""{"v": {{literal.Quoted()}}}""");

    private static string Normal(string json) => json.Trim();
}
