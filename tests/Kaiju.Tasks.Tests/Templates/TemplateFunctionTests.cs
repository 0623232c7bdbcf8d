using System.Text.Json;
using FluentAssertions;
using Kaiju.Tasks.Templates;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class TemplateFunctionTests
{
    private static readonly DateTimeOffset _now = new(2024, 6, 15, 23, 0, 30, 250, TimeSpan.Zero);

    [Theory]
    [InlineData("now", "\"2024-06-16T01:00:30.25+02:00\"")]
    [InlineData("utcnow", "\"2024-06-15T23:00:30.25Z\"")]
    [InlineData("now_date", "\"2024-06-16\"")]
    [InlineData("timestamp", "1718492430.25")]
    [InlineData("uuid4", "\"07070707-0707-4707-8707-070707070707\"")]
    [InlineData("urandom:3", "\"070707\"")]
    [InlineData("urandom:0", "\"\"")]
    [InlineData("random", "0.027450980392156765")]
    [InlineData("randint:5:5", "5")]
    public void Time_and_chance_come_from_the_sources(string call, string expected) => Call(call).Should().Be(expected);

    [Fact]
    public void Random_is_below_one_whatever_the_bytes()
    {
        Call("random", fill: 0xFF).Should().Be("0.9999999999999999");
        Call("random", fill: 0).Should().Be("0.0");
    }

    [Fact]
    public void Randint_includes_both_bounds_and_nothing_beyond()
    {
        var drawn = Enumerable.Range(0, 256).Select(b => int.Parse(Call("randint:-1:2", fill: (byte)b), null))
            .ToHashSet();

        drawn.Should().BeEquivalentTo([-1, 0, 1, 2]);
    }

    [Fact]
    public void Sources_of_the_machine_are_used_when_none_are_given()
    {
        var first = "[!x:uuid4]".FillText();
        var second = "[!x:uuid4]".FillText();

        first.Should().MatchRegex("^\"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\"$");
        second.Should().NotBe(first);
    }

    [Theory]
    [InlineData("datetime:'2024-05-06'", "\"2024-05-06T00:00:00\"")]
    [InlineData("datetime:`'2024-05-06 07:08:09.5'`", "\"2024-05-06T07:08:09.5\"")]
    [InlineData("datetime:`'2024-05-06T07:08:09Z'`", "\"2024-05-06T07:08:09+00:00\"")]
    [InlineData("datetime:`'2024-05-06T07:08+02:00'`", "\"2024-05-06T07:08:00+02:00\"")]
    [InlineData("date:'2024-05-06'", "\"2024-05-06\"")]
    public void Dates_come_out_as_text(string call, string expected) => Call(call).Should().Be(expected);

    [Theory]
    [InlineData("date:'6.5.2024'", "value_error")]
    [InlineData("datetime:'tomorrow'", "value_error")]
    [InlineData("date:5", "type_error")]
    [InlineData("urandom:1025", "value_error")]
    [InlineData("urandom:-1", "value_error")]
    [InlineData("urandom:1.5", "type_error")]
    [InlineData("urandom", "index_error")]
    [InlineData("randint:2:1", "value_error")]
    [InlineData("randint:1", "index_error")]
    [InlineData("int:[big]", "value_error")]
    [InlineData("sum:1e308:1e308", "value_error")]
    [InlineData("diff:-1e308:1e308", "value_error")]
    [InlineData("max:None:None", "type_error")]
    [InlineData("max:`[1]`:`['a']`", "type_error")]
    [InlineData("join", "index_error")]
    [InlineData("last", "index_error")]
    [InlineData("Upper:'a'", "unknown_function")]
    [InlineData("[list]:1", "unknown_function")]
    public void Wrong_arguments_are_errors(string call, string kind)
    {
        var act = () => Call(call);

        act.Should().Throw<TemplateException>().Which.Kind.Should().Be(kind);
    }

    [Theory]
    [InlineData("int:'1_000'", "1000")]
    [InlineData("int:' +007 '", "7")]
    [InlineData("int:1e22", "10000000000000000000000")]
    [InlineData("max:9007199254740992.0:9007199254740993", "9007199254740993")]
    [InlineData("max:True:1", "true")]
    [InlineData("max:[list]", "[1,2]")]
    [InlineData("min:`[1, 'z']`:`[1]`", "[1]")]
    [InlineData("max:`[1, 2]`:`[1, 3]`", "[1,3]")]
    [InlineData("capitalize:''", "\"\"")]
    [InlineData("split:'aa':'aaaa'", "[\"\",\"\",\"\"]")]
    [InlineData("split:'abab':'xababaybab'", "[\"x\",\"aybab\"]")]
    [InlineData("len:'🚀🚀'", "2")]
    [InlineData("not:[zero]", "true")]
    [InlineData("first:[zero]", "0.00")]
    public void Functions_work_on_their_arguments(string call, string expected) => Call(call).Should().Be(expected);

    [Fact]
    public void Text_is_ordered_by_code_points()
    {
        const string data = """{"high": "\uffff", "pair": "🚀"}""";

        "[!x:max:[high]:[pair]]".FillText(data).Should().Be("\"🚀\"");
        "[!x:min:[high]:[pair]]".FillText(data).Should().Be("""
            "\uffff"
            """);
    }

    private static string Call(string call, byte fill = 7)
    {
        var clock = new FakeTimeProvider(_now);
        clock.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("two", TimeSpan.FromHours(2), "two", "two"));
        var budget = new TemplateBudget(sources: new TemplateSources(clock, bytes => bytes.Fill(fill)));
        var data = """{"list": [1,2], "zero": 0.00, "big": 1e999}""".Json();
        JsonElement filled = $"[!x:{call}]".JsonText().Fill(data, budget);
        return filled.GetRawText();
    }
}
