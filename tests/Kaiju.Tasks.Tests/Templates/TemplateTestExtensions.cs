using System.Text.Encodings.Web;
using System.Text.Json;
using Kaiju.Tasks.Templates;

namespace Kaiju.Tasks.Tests.Templates;

/// <summary>Helpers of the tests of both languages.</summary>
internal static class TemplateTestExtensions
{
    public static JsonElement Json(this string json) => JsonElement.Parse(json);

    /// <summary>A JSON string with this text, as it is spelled.</summary>
    public static string Quoted(this string text) =>
        $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    /// <summary>A JSON string with this text.</summary>
    public static JsonElement JsonText(this string text) => JsonElement.Parse(text.Quoted());

    public static JsonElement Fill(this JsonElement template, JsonElement data, TemplateBudget? budget = null) =>
        Template.Parse(template).Fill(TemplateData.Of(data), budget ?? new TemplateBudget());

    /// <summary>Fills one template string over data and gives the JSON as it is spelled.</summary>
    public static string FillText(this string template, string data = "{}", TemplateBudget? budget = null) =>
        template.JsonText().Fill(data.Json(), budget).GetRawText();

    public static bool Holds(this string schema, string data, TemplateBudget? budget = null) =>
        Condition.Parse(schema.Json()).Evaluate(TemplateData.Of(data.Json()), budget ?? new TemplateBudget());

    public static string Repeat(this string text, int count) => string.Concat(Enumerable.Repeat(text, count));
}
