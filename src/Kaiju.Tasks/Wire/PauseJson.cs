using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of pauses.</summary>
internal static class PauseJson
{
    public static void Write(Utf8JsonWriter writer, TaskPause pause)
    {
        var members = new MemberWriter(writer, omitsDefaults: false);
        writer.WriteStartObject();
        members.Text("app_name", pause.AppName);
        members.Text("method", pause.Method);
        members.Text("reason", pause.Reason);
        members.Time("until", pause.Until);
        members.Time("since", pause.Since);
        members.Text("actor", pause.Actor);
        writer.WriteEndObject();
    }

    public static TaskPause Read(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The pause", json, faults))
        {
            return new TaskPause();
        }

        var member = new MemberReader(json, "", faults);
        return new TaskPause
        {
            AppName = member.Text("app_name"),
            Method = member.Text("method"),
            Reason = member.Text("reason"),
            Until = member.Time("until"),
            Since = member.Time("since") ?? default,
            Actor = member.Text("actor"),
        };
    }
}
