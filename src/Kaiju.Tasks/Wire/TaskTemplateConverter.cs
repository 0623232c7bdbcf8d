using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// A template as JSON: in params its text; in kws, meta and messages, which are never filled, the text that it always
/// gives.
/// </summary>
/// <param name="isOfData">True for what is never filled.</param>
internal sealed class TaskTemplateConverter(bool isOfData = false) : JsonConverter<TaskTemplate>
{
    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> _known = [];

    /// <summary>Options that write what is never filled.</summary>
    public static JsonSerializerOptions OfData(JsonSerializerOptions options) =>
        _known.GetValue(options, static given =>
    {
        var data = new JsonSerializerOptions(given);
        data.Converters.Insert(0, new TaskTemplateConverter(isOfData: true));
        return data;
    });

    /// <summary>The same of a type that a source generator knows; as it is if its options do not give it.</summary>
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
