using System.Runtime.InteropServices;
using System.Text.Json;
using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class TemplateTests
{
    [Theory]
    [InlineData("1.50")]
    [InlineData("1e5")]
    [InlineData("-0.0")]
    [InlineData("-0")]
    [InlineData("12345678901234567890")]
    [InlineData("9223372036854775807")]
    [InlineData("0.1000000000000000055511151231257827")]
    [InlineData("1E400")]
    public void Numbers_keep_the_spelling_they_came_with(string number)
    {
        var data = $$"""{"n": {{number}}}""".Json();

        "[n]".JsonText().Fill(data).GetRawText().Should().Be(number);
        $$"""{"fixed":{{number}},"read":"[n]","list":["[n]"]}""".Json().Fill(data).GetRawText()
            .Should().Be($$"""{"fixed":{{number}},"read":{{number}},"list":[{{number}}]}""");
    }

    [Theory]
    [InlineData("[x:1.5e3]", "1500.0")]
    [InlineData("[x:2.50]", "2.5")]
    [InlineData("[x:-0.0]", "-0.0")]
    [InlineData("[x:1e22]", "1e+22")]
    [InlineData("[!x:sum:1:2]", "3")]
    [InlineData("[!x:sum:1:2.0]", "3.0")]
    [InlineData("[!x:sum:9223372036854775807:1]", "9223372036854775808")]
    [InlineData("[!x:diff:0.3:0.1]", "0.19999999999999998")]
    public void Computed_floats_stay_floats_and_integers_stay_exact(string template, string expected) =>
        template.FillText().Should().Be(expected);

    [Theory]
    [InlineData("""{"a": [1, "text", null, {"b": "see [key] here"}], "[k]": 1.50}""")]
    [InlineData("\"plain \\n text\"")]
    [InlineData("\"\"")]
    [InlineData("42")]
    public void Constant_template_gives_back_the_element_it_was_parsed_from(string json)
    {
        var source = json.Json();
        var template = Template.Parse(source);
        var budget = new TemplateBudget();

        var filled = template.Fill(TemplateData.Of("{}".Json()), budget);

        template.IsConstant.Should().BeTrue();
        IsSameMemory(filled, source).Should().BeTrue();
        budget.Steps.Should().Be(0);
        budget.OutputBytes.Should().Be(0);
    }

    [Theory]
    [InlineData("\"`quoted`\"")]
    [InlineData("[\"[a]\"]")]
    [InlineData("\"\\u005ba]\"")]
    public void Template_with_a_string_that_changes_is_not_constant(string json) =>
        Template.Parse(json.Json()).IsConstant.Should().BeFalse();

    [Fact]
    public void Single_operator_returns_the_element_of_the_data_without_a_copy()
    {
        var data = """{"a": {"b": [1, {"c": 2.50}]}}""".Json();
        var budget = new TemplateBudget();

        var filled = "[a.b]".JsonText().Fill(data, budget);

        IsSameMemory(filled, data.GetProperty("a").GetProperty("b")).Should().BeTrue();
        budget.OutputBytes.Should().Be("""[1, {"c": 2.50}]""".Length);
    }

    [Fact]
    public void Filled_template_outlives_the_document_of_its_data()
    {
        JsonElement filled;
        using (var document = JsonDocument.Parse("""{"a": "ł🚀"}"""))
        {
            filled = """{"x": "[a]"}""".Json().Fill(document.RootElement);
        }

        filled.GetRawText().Should().Be("""{"x":"ł🚀"}""");
    }

    [Fact]
    public void Template_is_filled_many_times_at_once()
    {
        var template = Template.Parse("""["[n]", "[!f:{n}]", "[!x:sum:[n]:1]", "[m:'d']"]""".Json());

        var filled = Enumerable.Range(0, 500).AsParallel().AsOrdered()
            .Select(n => template.Fill(TemplateData.Of($$"""{"n":{{n}}}""".Json()), new TemplateBudget()).GetRawText());

        filled.Should().Equal(Enumerable.Range(0, 500).Select(n => $"[{n},\"{n}\",{n + 1},\"d\"]"));
    }

    [Fact]
    public void Environment_has_named_members_and_gives_the_whole_of_itself()
    {
        var environment = TemplateData.Environment(new Dictionary<string, JsonElement>
        {
            ["0"] = """{"total": 1.50, "items": [{"id": 1}, {}]}""".Json(),
            ["id"] = "\"t-1\"".Json(),
            ["kws"] = "{}".Json(),
        });
        JsonElement Fill(string template) =>
            Template.Parse(template.JsonText()).Fill(environment, new TemplateBudget());

        Fill("[0.total]").GetRawText().Should().Be("1.50");
        Fill("[0.items.id:-1]").GetRawText().Should().Be("[1,-1]");
        Fill("[!f:{id} {0-total}]").GetRawText().Should().Be("\"t-1 1.5\"");
        Fill("[:]").GetRawText().Should().Be("""{"0":{"total": 1.50, "items": [{"id": 1}, {}]},"id":"t-1","kws":{}}""");
        Fill("[1.total:None]").ValueKind.Should().Be(JsonValueKind.Null);
    }

    [Fact]
    public void References_name_the_paths_that_are_known_without_data()
    {
        var template = Template.Parse(
            """
            {"params": {"a": "[0.total]", "b": ["x", "[1.rows.id:[kws.d]]"]}, "t": "[!f:{2-sum} {id}:[3]]",
            "d": "[[kws.key]]", "c": "`[9]`"}
            """.Json(),
            "");

        template.References.Select(r => (r.Place, Path: string.Join('/', r.Path), r.HasDefault, r.Kind)).Should().Equal(
            ("params.a", "0/total", false, ReferenceKind.Select),
            ("params.b[1]", "kws/d", false, ReferenceKind.Select),
            ("params.b[1]", "1/rows/id", true, ReferenceKind.Select),
            ("t", "3", false, ReferenceKind.Select),
            ("t", "2/sum", true, ReferenceKind.Format),
            ("t", "id", true, ReferenceKind.Format),
            ("d", "kws/key", false, ReferenceKind.Select));
    }

    [Theory]
    [InlineData("[a][b]", """{"a][b": 1}""", "1")]
    [InlineData("[:]", """{"a": 1}""", """{"a": 1}""")]
    [InlineData("[``]", """{"a": 1}""", """{"a": 1}""")]
    [InlineData("[x::3]", "{}", "\"\"")]
    [InlineData("[x:`a:b`]", "{}", "\"a:b\"")]
    [InlineData("[`!f`:{a}]", """{"a": 1}""", "\"1\"")]
    [InlineData("[x:00]", "{}", "\"00\"")]
    [InlineData("[x:1, 2]", "{}", "\"1, 2\"")]
    [InlineData("[m.v:0]", """{"m": [[{"v": 1}], 2]}""", "[[1],0]")]
    public void Corners_of_the_grammar_are_as_documented(string template, string data, string expected) =>
        template.FillText(data).Should().Be(expected);

    private static bool IsSameMemory(JsonElement left, JsonElement right) =>
        JsonMarshal.GetRawUtf8Value(left) is var first && JsonMarshal.GetRawUtf8Value(right) is var second
        && first.Length == second.Length && first.Overlaps(second, out var offset) && offset == 0;
}
