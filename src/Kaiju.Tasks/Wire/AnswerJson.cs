using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of what the client answers to a creation or an update.</summary>
internal static class AnswerJson
{
    public static void Write(Utf8JsonWriter writer, CreateAnswer answer)
    {
        writer.WriteStartObject();
        writer.WriteString("task_id", answer.TaskId);
        writer.WriteString("result", WireNames<CreateResult>.Of(answer.Result));
        writer.WriteString("status", WireNames<TaskState>.Of(answer.State));
        WriteFaults(writer, answer.Faults);
        writer.WriteEndObject();
    }

    public static CreateAnswer ReadCreate(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The answer", json, faults))
        {
            return default;
        }

        var member = new MemberReader(json, "", faults);
        return new CreateAnswer(
            member.Needed("task_id"),
            member.Word<CreateResult>("result") ?? CreateResult.Created,
            member.Word<TaskState>("status") ?? TaskState.Idle)
        {
            Faults = ReadFaults(member),
        };
    }

    public static void Write(Utf8JsonWriter writer, UpdateAnswer answer)
    {
        writer.WriteStartObject();
        writer.WriteString("result", WireNames<UpdateResult>.Of(answer.Result));
        WriteFaults(writer, answer.Faults);
        writer.WriteEndObject();
    }

    public static UpdateAnswer ReadUpdate(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The answer", json, faults))
        {
            return default;
        }

        var member = new MemberReader(json, "", faults);
        return new UpdateAnswer(member.Word<UpdateResult>("result") ?? UpdateResult.Updated, ReadFaults(member));
    }

    // The default of a struct has no list.
    private static void WriteFaults(Utf8JsonWriter writer, IReadOnlyList<string>? faults)
    {
        writer.WriteStartArray("faults");
        foreach (var fault in faults ?? [])
        {
            writer.WriteStringValue(fault);
        }

        writer.WriteEndArray();
    }

    private static List<string> ReadFaults(MemberReader member) =>
        member.List("faults", static (item, _) =>
            item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText());
}
