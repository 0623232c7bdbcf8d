using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of the answer to a creation. It is only written: a handle belongs to a client.</summary>
internal static class HandleJson
{
    public static void Write(Utf8JsonWriter writer, TaskHandle handle)
    {
        writer.WriteStartObject();
        writer.WriteString("task_id", handle.TaskId);
        writer.WriteString("job_id", handle.JobId);
        writer.WriteString("result", WireNames<CreateResult>.Of(handle.Result));
        writer.WriteString("status", WireNames<TaskState>.Of(handle.State));
        writer.WriteStartArray("faults");
        foreach (var fault in handle.Faults)
        {
            writer.WriteStringValue(fault);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static TaskHandle Read(JsonElement json, List<string> faults) => throw new NotSupportedException(
        "A TaskHandle cannot be read from JSON. Keep its TaskId, and call the members of ITaskClient.");
}
