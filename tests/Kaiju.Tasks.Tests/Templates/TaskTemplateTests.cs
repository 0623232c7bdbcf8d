using System.Text.Json;
using System.Text.Json.Serialization;
using CsCheck;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Templates;

namespace Kaiju.Tasks.Tests.Templates;

/// <summary>Templates and texts of others as values in C#.</summary>
public sealed class TaskTemplateTests
{
    /// <summary>Every character with a meaning in the language, and some without.</summary>
    private static readonly Gen<string> _texts = Gen.Int[0, 15].Select(
        sign => "[]`:!{}.'\"\\ sf0\u00e9"[sign]).Array[0, 12]
        .Select(signs => new string(signs));

    [Fact]
    public void A_literal_gives_its_text_whatever_it_contains() => _texts.Sample(
        text =>
        {
            var template = Template.Parse(JsonWriting.Text(TaskTemplate.Literal(text).Text));
            var filled = template.Fill(TemplateData.Of("""{"s": "x", "0": {"f": 1}}""".Json()), new TemplateBudget());
            return filled.GetString() == text && template.References.Count == 0
                && TaskTemplate.Literal(text).Constant == text;
        },
        iter: 20_000);

    [Theory]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("[OK]", "`[OK]`")]
    [InlineData("[:]", "`[:]`")]
    [InlineData("`code`", "``code``")]
    [InlineData("`", "```")]
    [InlineData("say [hi] there", "say [hi] there")]
    [InlineData("items[0]", "`items[0]`")]
    public void A_literal_is_quoted_only_where_it_must_be(string text, string stored) =>
        TaskTemplate.Literal(text).Text.Should().Be(stored);

    [Theory]
    [InlineData("[OK", "the text only starts with \"[\". Use the format operator or backquotes.")]
    [InlineData("OK]", "the text only ends with \"]\". Use the format operator or backquotes.")]
    [InlineData("[]", "*")]
    [InlineData("[!zz:a]", "*")]
    public void A_text_that_is_not_a_template_is_refused_when_it_is_created(string text, string reason)
    {
        var make = () => new TaskTemplate(text);

        make.Should().Throw<ArgumentException>().WithParameterName(nameof(text)).WithMessage(
            $"The template \"{text}\" cannot be read: {reason} A text that is not a template goes through "
                + $"TaskTemplate.Literal. (Parameter 'text')");
    }

    [Fact]
    public void A_text_that_no_store_can_hold_is_refused_as_a_template_and_as_a_literal()
    {
        FluentActions.Invoking(() => new TaskTemplate("a\0b")).Should()
            .Throw<ArgumentException>().Where(e => e.Message.Contains("it contains U+0000"));
        FluentActions.Invoking(() => TaskTemplate.Literal("\ud800")).Should().Throw<ArgumentException>().WithMessage(
            "The text contains a lone surrogate, which cannot be stored. (Parameter 'text')");
    }

    [Fact]
    public async Task Templates_and_literals_stand_anywhere_in_params_and_literals_in_kws()
    {
        JsonElement got = default;
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", void ([Params] JsonElement given) => got = given));

        await host.RunAsync(new TaskDefinition
        {
            Id = "t",
            Kws = new { who = TaskTemplate.Literal("[`x`]"), plain = new TaskTemplate("`q`") },
            Meta = new { by = TaskTemplate.Literal("[me]") },
            Commands =
            [
                new("do", new
                {
                    note = TaskTemplate.Literal("[OK]"),
                    list = new object[] { TaskTemplate.Literal("[:]"), new TaskTemplate("[kws.who]") },
                    map = new Dictionary<string, TaskTemplate>
                    {
                        ["a"] = new("[!f:for {kws-plain}]"),
                        ["b"] = TaskTemplate.Literal("`code`"),
                    },
                }),
            ],
        });

        got.GetRawText().ShouldBeJson(
            """{"note": "[OK]", "list": ["[:]", "[`x`]"], "map": {"a": "for q", "b": "`code`"}}""");
        (await host.GetAsync("t")).Definition.MetaJson.GetRawText().ShouldBeJson("""{"by": "[me]"}""");
    }

    [Fact]
    public async Task A_template_in_kws_meta_or_a_message_is_refused_since_nothing_fills_it()
    {
        await using var host = new TaskTestHost();
        var template = new { who = new TaskTemplate("[0.id]") };
        const string Rule =
            ".who is a TaskTemplate, which cannot be written as JSON: kws, meta and messages are never filled, so "
                + "\"[0.id]\" would stay as it is; "
            + "give a text or TaskTemplate.Literal.";

        var refused = (await host.Client.Awaiting(
            client => client.CreateAsync(
                new TaskDefinition { Id = "t", Kws = template, Meta = template, Commands = [new("do")] }))
            .Should().ThrowAsync<TaskValidationException>()).Which;
        var sent = (await host.Client.Awaiting(client => client.SendMessageAsync("t", template)).Should()
            .ThrowAsync<TaskValidationException>()).Which;

        refused.Faults.Should().Equal("kws" + Rule, "meta" + Rule);
        sent.Faults.Should().Equal("message" + Rule);
    }

    [Fact]
    public void Types_of_a_source_generator_may_have_templates()
    {
        var value = new Greeting(TaskTemplate.Literal("[x]"));

        TaskCommand.Create("do", value, TemplateJson.Default.Greeting).ParamsJson.GetRawText()
            .Should().Be("""{"Text":"`[x]`"}""");
        new TaskDefinition { Commands = [new("do")] }.WithKws(value, TemplateJson.Default.Greeting).KwsJson.GetRawText()
            .Should().Be("""{"Text":"[x]"}""");
    }

    [Fact]
    public void A_template_reads_back_as_it_was_written()
    {
        var template = new TaskTemplate("[kws.name:nobody]");

        JsonSerializer.Deserialize<TaskTemplate>(JsonSerializer.Serialize(template))!.Text.Should().Be(
            template.Text);
        FluentActions.Invoking(() => JsonSerializer.Deserialize<TaskTemplate>("\"[a\"")).Should()
            .Throw<JsonException>().WithMessage("The template \"[a\" cannot*");
        FluentActions.Invoking(() => JsonSerializer.Deserialize<TaskTemplate>("5")).Should().Throw<JsonException>();
        template.ToString().Should().Be("[kws.name:nobody]");
    }

    internal sealed record Greeting(TaskTemplate Text);
}

[JsonSerializable(typeof(TaskTemplateTests.Greeting))]
internal sealed partial class TemplateJson : JsonSerializerContext;
