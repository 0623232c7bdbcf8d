using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// Writes a <see cref="TaskHandle"/> as JSON, the answer to a creation. A handle cannot be read from JSON.
/// </summary>
public sealed class TaskHandleConverter : JsonConverter<TaskHandle>
{
    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TaskHandle value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        writer.WriteStartObject();
        writer.WriteString("task_id", value.TaskId);
        writer.WriteString("job_id", value.JobId);
        writer.WriteString("result", WireNames<CreateResult>.Of(value.Result));
        writer.WriteString("status", WireNames<TaskState>.Of(value.State));
        writer.WriteStartArray("faults");
        foreach (var fault in value.Faults)
        {
            writer.WriteStringValue(fault);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always: a handle belongs to a client.</exception>
    public override TaskHandle Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException(
            "A TaskHandle cannot be read from JSON. Keep its TaskId, and call the members of ITaskClient.");
}
