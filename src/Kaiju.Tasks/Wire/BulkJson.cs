using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of the outcomes of bulk operations.</summary>
internal static class BulkJson
{
    public static void Write(Utf8JsonWriter writer, BulkResult result)
    {
        var members = new MemberWriter(writer, omitsDefaults: false);
        writer.WriteStartObject();
        members.Text("operation_id", result.OperationId);
        members.Integer("matched", result.Matched);
        members.Integer("done", result.Done);
        members.Integer("refused", result.Refused);
        writer.WriteEndObject();
    }

    public static BulkResult Read(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The result", json, faults))
        {
            return new BulkResult { Matched = 0, Done = 0, Refused = 0 };
        }

        var member = new MemberReader(json, "", faults);
        return new BulkResult
        {
            OperationId = member.Text("operation_id"),
            Matched = member.Integer("matched") ?? 0,
            Done = member.Integer("done") ?? 0,
            Refused = member.Integer("refused") ?? 0,
        };
    }
}
