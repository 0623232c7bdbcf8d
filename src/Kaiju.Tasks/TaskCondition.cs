using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// The condition under which a stage runs: tests of earlier results, kws and the task's id, combined by and, or, not.
/// Make it with <see cref="Where"/>, or read its stored form <c>{"schema": …}</c>.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskCondition
{
    private TaskCondition(JsonElement json) => Json = json;

    /// <summary>The stored form, <c>{"schema": …}</c>.</summary>
    public JsonElement Json { get; }

    /// <summary>
    /// Begins a test of the value at a path, such as <c>0.total</c> (from the result of stage 0) or <c>kws.limit</c>. A
    /// missing value is null. If the path has a lone surrogate, the member that ends the test throws a
    /// <see cref="JsonException"/>.
    /// </summary>
    /// <param name="path">The path: keys, joined by dots.</param>
    public static TaskConditionTest Where(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new TaskConditionTest(path);
    }

    /// <summary>Reads a stored condition. It is validated when the task is created.</summary>
    /// <param name="json">The <c>condition</c> member of a stored command, <c>{"schema": …}</c>.</param>
    public static TaskCondition FromJson(JsonElement json) => new(JsonText.Owned(json));

    /// <summary>Reads the schema of a condition. It is validated when the task is created.</summary>
    /// <param name="schema">The <c>schema</c> member: an object of tests, or an array of alternatives.</param>
    public static TaskCondition FromSchema(JsonElement schema) => Build(writer => schema.WriteTo(writer));

    /// <summary>Both conditions hold. The second is evaluated only if the first holds.</summary>
    /// <param name="other">The other condition.</param>
    public TaskCondition And(TaskCondition other)
    {
        ArgumentNullException.ThrowIfNull(other);

        // An object joins its members by "and", but cannot contain a key twice. So write "neither of the two fails".
        return Build(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("not");
            WriteFailing(writer, this);
            WriteFailing(writer, other);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    /// <summary>At least one condition holds. The second is evaluated only if the first does not hold.</summary>
    /// <param name="other">The other condition.</param>
    public TaskCondition Or(TaskCondition other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Build(writer =>
        {
            writer.WriteStartArray();
            WriteAlternatives(writer, this);
            WriteAlternatives(writer, other);
            writer.WriteEndArray();
        });
    }

    /// <summary>This condition does not hold.</summary>
    public TaskCondition Not() => Build(writer => WriteNot(writer, this));

    /// <inheritdoc/>
    public override string ToString() => Json.ValueKind == JsonValueKind.Undefined ? "" : Json.GetRawText();

    internal static TaskCondition Build(Action<Utf8JsonWriter> schema) =>
        new(JsonWriting.Element(schema, static (writer, schema) =>
    {
        writer.WriteStartObject();
        writer.WritePropertyName("schema");
        schema(writer);
        writer.WriteEndObject();
    }));

    // Many conditions are joined in one flat array, since the depth of JSON is limited.
    private static void WriteFailing(Utf8JsonWriter writer, TaskCondition condition)
    {
        if (Schema(condition) is { ValueKind: JsonValueKind.Object } schema && schema.GetPropertyCount() == 1
            && schema.TryGetProperty("not", out var failing) && failing.ValueKind == JsonValueKind.Array)
        {
            WriteItems(writer, failing);
        }
        else
        {
            WriteNot(writer, condition);
        }
    }

    private static void WriteAlternatives(Utf8JsonWriter writer, TaskCondition condition)
    {
        if (Schema(condition) is { ValueKind: JsonValueKind.Array } alternatives)
        {
            WriteItems(writer, alternatives);
        }
        else
        {
            Schema(condition).WriteTo(writer);
        }
    }

    private static void WriteItems(Utf8JsonWriter writer, JsonElement items)
    {
        foreach (var item in items.EnumerateArray())
        {
            item.WriteTo(writer);
        }
    }

    private static void WriteNot(Utf8JsonWriter writer, TaskCondition condition)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("not");
        Schema(condition).WriteTo(writer);
        writer.WriteEndObject();
    }

    private static JsonElement Schema(TaskCondition condition) =>
        condition.Json.ValueKind == JsonValueKind.Object && condition.Json.TryGetProperty("schema", out var schema)
            ? schema
            : throw new InvalidOperationException(
                $"{condition} is not a condition that can be combined; it must be {{\"schema\": …}}.");
}

/// <summary>
/// A test that <see cref="TaskCondition.Where"/> has begun; each member ends it. Operands that are texts may be
/// templates: <c>EqualTo("[kws.city]")</c>.
/// </summary>
public sealed class TaskConditionTest
{
    private readonly string _path;

    internal TaskConditionTest(string path) => _path = path;

    /// <summary>
    /// The tested value is equal to this one. The order counts for elements of arrays, not for members of objects.
    /// </summary>
    /// <param name="value">The value, or a template.</param>
    public TaskCondition EqualTo(JsonElement value) => Test("eq", writer => value.WriteTo(writer));

    /// <inheritdoc cref="EqualTo(JsonElement)"/>
    public TaskCondition EqualTo(string? value) => Test("eq", writer => writer.WriteStringValue(value));

    /// <inheritdoc cref="EqualTo(JsonElement)"/>
    public TaskCondition EqualTo(decimal value) => Test("eq", writer => writer.WriteNumberValue(value));

    /// <inheritdoc cref="EqualTo(JsonElement)"/>
    public TaskCondition EqualTo(bool value) => Test("eq", writer => writer.WriteBooleanValue(value));

    /// <summary>The tested value is not equal to this one.</summary>
    /// <param name="value">The value, or a template.</param>
    public TaskCondition NotEqualTo(JsonElement value) => Test("ne", writer => value.WriteTo(writer));

    /// <inheritdoc cref="NotEqualTo(JsonElement)"/>
    public TaskCondition NotEqualTo(string? value) => Test("ne", writer => writer.WriteStringValue(value));

    /// <inheritdoc cref="NotEqualTo(JsonElement)"/>
    public TaskCondition NotEqualTo(decimal value) => Test("ne", writer => writer.WriteNumberValue(value));

    /// <inheritdoc cref="NotEqualTo(JsonElement)"/>
    public TaskCondition NotEqualTo(bool value) => Test("ne", writer => writer.WriteBooleanValue(value));

    /// <summary>The tested value is a number greater than this one.</summary>
    /// <param name="value">The number, or a template that gives one.</param>
    public TaskCondition GreaterThan(decimal value) => Test("gt", writer => writer.WriteNumberValue(value));

    /// <inheritdoc cref="GreaterThan(decimal)"/>
    public TaskCondition GreaterThan(string value) => Test("gt", writer => writer.WriteStringValue(value));

    /// <summary>The tested value is a number greater than or equal to this one.</summary>
    /// <param name="value">The number, or a template that gives one.</param>
    public TaskCondition AtLeast(decimal value) => Test("ge", writer => writer.WriteNumberValue(value));

    /// <inheritdoc cref="AtLeast(decimal)"/>
    public TaskCondition AtLeast(string value) => Test("ge", writer => writer.WriteStringValue(value));

    /// <summary>The tested value is a number less than this one.</summary>
    /// <param name="value">The number, or a template that gives one.</param>
    public TaskCondition LessThan(decimal value) => Test("lt", writer => writer.WriteNumberValue(value));

    /// <inheritdoc cref="LessThan(decimal)"/>
    public TaskCondition LessThan(string value) => Test("lt", writer => writer.WriteStringValue(value));

    /// <summary>The tested value is a number less than or equal to this one.</summary>
    /// <param name="value">The number, or a template that gives one.</param>
    public TaskCondition AtMost(decimal value) => Test("le", writer => writer.WriteNumberValue(value));

    /// <inheritdoc cref="AtMost(decimal)"/>
    public TaskCondition AtMost(string value) => Test("le", writer => writer.WriteStringValue(value));

    /// <summary>
    /// The tested value is an array with this element, a text that contains this text, or an object with this key.
    /// </summary>
    /// <param name="value">The element, text or key, or a template that gives one.</param>
    public TaskCondition Contains(JsonElement value) => Test("has", writer => value.WriteTo(writer));

    /// <inheritdoc cref="Contains(JsonElement)"/>
    public TaskCondition Contains(string value) => Test("has", writer => writer.WriteStringValue(value));

    /// <summary>The tested value is equal to one of these.</summary>
    /// <param name="values">The values: an array, or a template that gives one.</param>
    public TaskCondition In(JsonElement values) => Test("in", writer => values.WriteTo(writer));

    /// <inheritdoc cref="In(JsonElement)"/>
    public TaskCondition In(params string[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Test("in", writer =>
        {
            writer.WriteStartArray();
            foreach (var value in values)
            {
                writer.WriteStringValue(value);
            }

            writer.WriteEndArray();
        });
    }

    /// <summary>
    /// The whole text form of the tested value matches a pattern: <c>*</c> stands for any characters, <c>?</c> for one,
    /// <c>[abc]</c> for one of a set, <c>[!a-z]</c> for one that is not in a set.
    /// </summary>
    /// <param name="pattern">
    /// The pattern. Put backquotes around one that starts or ends with a bracket, or it is read as a template.
    /// </param>
    public TaskCondition Matches(string pattern) => Test("match", writer => writer.WriteStringValue(pattern));

    /// <summary>The tested value is null or missing.</summary>
    public TaskCondition IsNull() => Test("eq", writer => writer.WriteNullValue());

    /// <summary>The tested value is neither null nor missing.</summary>
    public TaskCondition IsNotNull() => Test("ne", writer => writer.WriteNullValue());

    private TaskCondition Test(string @operator, Action<Utf8JsonWriter> operand) => TaskCondition.Build(writer =>
    {
        writer.WriteStartObject();
        writer.WriteStartObject(_path);
        writer.WritePropertyName(@operator);
        operand(writer);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });
}
