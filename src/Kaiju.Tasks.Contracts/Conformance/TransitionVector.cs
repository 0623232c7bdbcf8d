using System.Globalization;
using System.Text.Json;

namespace Kaiju.Tasks.Contracts.Conformance;

/// <summary>A vector as it is written: its members, with what it leaves out and with its times.</summary>
internal sealed class TransitionVector(JsonElement vector, JsonElement defaults)
{
    /// <summary>The time that the vectors call now.</summary>
    public static readonly DateTimeOffset Start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    /// <summary>The vector itself.</summary>
    public JsonElement Given => vector;

    /// <summary>What a port must do, where it is another thing than what the original did.</summary>
    public JsonElement Expected { get; } =
        vector.TryGetProperty("required", out var required) ? required : vector;

    /// <summary>A member that is an object, name by name; nothing if it is left out.</summary>
    public IEnumerable<(string Id, JsonElement Value)> Members(string name, JsonElement? of = null) =>
        (of ?? vector).TryGetProperty(name, out var members)
            ? members.EnumerateObject().Select(member => (member.Name, member.Value))
            : [];

    /// <summary>
    /// A message wait's deadline follows from its command, which the original does not do; leaving WAITING clears it.
    /// </summary>
    public bool WaitIsMadeUp(string id) =>
        Before(id) is var before && before.GetProperty("status").GetString() == "WAITING"
        && before.GetProperty("commands")[before.GetProperty("stage").GetInt32()].TryGetProperty(
            "max_timeout", out var timeout) && timeout.ValueKind == JsonValueKind.Number;

    /// <summary>A task as it is put in.</summary>
    public JsonElement Before(string id) =>
        id == "T" ? Whole("T", vector.GetProperty("before")) : Whole(id, vector.GetProperty("others").GetProperty(id));

    /// <summary>A task with the members that the vector leaves out.</summary>
    public JsonElement Whole(string id, JsonElement fields)
    {
        var members = defaults.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
        members["id"] = Json.Of($"\"{id}\"");
        members["job_id"] = Json.Of($"\"job-{id}\"");
        foreach (var member in fields.EnumerateObject())
        {
            members[member.Name] = member.Value;
        }

        return Json.Of(
            "{" + string.Join(",", members.Select(member => $"\"{member.Key}\":{member.Value.GetRawText()}")) + "}");
    }

    /// <summary>"now+5" and its kin as seconds, everywhere inside.</summary>
    public static JsonElement Absolute(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String when Time(json) is { } time =>
            Json.Of(time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
        JsonValueKind.Object => Json.Of(
            "{"
                + string.Join(
                    ",",
                    json.EnumerateObject().Select(member => $"\"{member.Name}\":{Absolute(member.Value).GetRawText()}"))
                        + "}"),
        _ => json,
    };

    /// <summary>The time that a text such as "now+5" means; null if it means none.</summary>
    public static DateTimeOffset? Time(JsonElement json)
    {
        var text = json.ValueKind == JsonValueKind.String ? json.GetString()! : "";
        return text == "now" ? Start
            : text.StartsWith("now", StringComparison.Ordinal)
                && double.TryParse(text[3..], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
                    ? Start.AddSeconds(seconds)
            : null;
    }

    /// <summary>A value without white space, to be compared.</summary>
    public static string Plain(JsonElement json) =>
        json.ValueKind == JsonValueKind.Undefined ? "undefined" : JsonSerializer.Serialize(json);
}
