using System.Globalization;
using System.Text.Json;

namespace Kaiju.Tasks.Contracts.Conformance;

/// <summary>A vector as stored, with access to omitted members and to relative times.</summary>
internal sealed class TransitionVector(JsonElement vector, JsonElement defaults)
{
    /// <summary>The time for which vectors write "now".</summary>
    public static readonly DateTimeOffset Start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    /// <summary>The vector itself.</summary>
    public JsonElement Given => vector;

    /// <summary>The expected result; where a port must differ from the original, that of the port.</summary>
    public JsonElement Expected { get; } =
        vector.TryGetProperty("required", out var required) ? required : vector;

    /// <summary>The members of an object by their names; empty if the vector omits the object.</summary>
    public IEnumerable<(string Id, JsonElement Value)> Members(string name, JsonElement? of = null) =>
        (of ?? vector).TryGetProperty(name, out var members)
            ? members.EnumerateObject().Select(member => (member.Name, member.Value))
            : [];

    /// <summary>
    /// True if the task waits for a message without a deadline in the vector. Here the deadline follows from the
    /// command; the original has none, and clears it when the task leaves WAITING.
    /// </summary>
    public bool WaitIsMadeUp(string id) =>
        Before(id) is var before && before.GetProperty("status").GetString() == "WAITING"
        && before.GetProperty("commands")[before.GetProperty("stage").GetInt32()].TryGetProperty(
            "max_timeout", out var timeout) && timeout.ValueKind == JsonValueKind.Number;

    /// <summary>A task as it is stored before the steps.</summary>
    public JsonElement Before(string id) =>
        id == "T" ? Whole("T", vector.GetProperty("before")) : Whole(id, vector.GetProperty("others").GetProperty(id));

    /// <summary>A task with the members that the vector omits.</summary>
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

    /// <summary>Replaces texts such as "now+5" by seconds, at every depth.</summary>
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

    /// <summary>The time of a text such as "now+5"; null for other values.</summary>
    public static DateTimeOffset? Time(JsonElement json)
    {
        var text = json.ValueKind == JsonValueKind.String ? json.GetString()! : "";
        return text == "now" ? Start
            : text.StartsWith("now", StringComparison.Ordinal)
                && double.TryParse(text[3..], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
                    ? Start.AddSeconds(seconds)
            : null;
    }

    /// <summary>A value without white space, for comparisons.</summary>
    public static string Plain(JsonElement json) =>
        json.ValueKind == JsonValueKind.Undefined ? "undefined" : JsonSerializer.Serialize(json);
}
