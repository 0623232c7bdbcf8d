using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// Writes a template as JSON. In params it is written as its text. In kws, meta and messages, whose templates are not
/// filled, it is written as the text that it always gives.
/// </summary>
/// <param name="isOfData">True for kws, meta and messages.</param>
internal sealed class TaskTemplateConverter(bool isOfData = false) : JsonConverter<TaskTemplate>
{
    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> _known = [];

    /// <summary>Returns the options for kws, meta and messages.</summary>
    public static JsonSerializerOptions OfData(JsonSerializerOptions options) =>
        _known.GetValue(options, static given =>
    {
        var data = new JsonSerializerOptions(given);
        data.Converters.Insert(0, new TaskTemplateConverter(isOfData: true));
        return data;
    });

    /// <summary>
    /// Returns the contract of a type for kws, meta and messages; the same one if its options do not contain the type.
    /// </summary>
    public static JsonTypeInfo<T> OfData<T>(JsonTypeInfo<T> typeInfo) =>
        typeInfo.Options.TypeInfoResolver is not null
            && OfData(typeInfo.Options).TryGetTypeInfo(typeof(T), out var data)
            ? (JsonTypeInfo<T>)data
            : typeInfo;

    public override TaskTemplate Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException("A template is a text.");
        }

        try
        {
            return new TaskTemplate(reader.GetString()!);
        }
        catch (ArgumentException e)
        {
            throw new JsonException(e.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, TaskTemplate value, JsonSerializerOptions options) =>
        writer.WriteStringValue(
        !isOfData ? value.Text
        : value.Constant ?? throw new JsonException(
            $"kws, meta and messages are never filled, so {JsonText.Quote(value.Text)} would stay as it is; give a "
                + $"text or {nameof(TaskTemplate)}.{nameof(TaskTemplate.Literal)}"));
}
