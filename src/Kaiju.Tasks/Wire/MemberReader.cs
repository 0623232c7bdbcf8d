using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// Reads the members of a JSON object one by one and collects all faults. Missing members and nulls mean the same.
/// Unknown members are ignored.
/// </summary>
internal readonly struct MemberReader(JsonElement json, string place, List<string> faults)
{
    public JsonElement Json(string name) =>
        json.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : default;

    /// <summary>True for an object. Adds a fault for any other value.</summary>
    public static bool IsObject(string what, JsonElement json, List<string> faults)
    {
        if (json.ValueKind == JsonValueKind.Object)
        {
            return true;
        }

        faults.Add($"{what} is {JsonText.Show(json)}; it must be an object.");
        return false;
    }

    /// <summary>A required text.</summary>
    public string Needed(string name)
    {
        if (Json(name).ValueKind == JsonValueKind.Undefined)
        {
            faults.Add($"{place}{name} is missing; it must be text.");
        }

        return Text(name) ?? "";
    }

    public string? Text(string name)
    {
        var member = Json(name);
        if (member.ValueKind is JsonValueKind.Undefined)
        {
            return null;
        }

        return member.ValueKind == JsonValueKind.String ? member.GetString() : Fault<string>(name, member, "text");
    }

    public bool Flag(string name, bool otherwise) => Flag(name) ?? otherwise;

    public bool? Flag(string name)
    {
        var member = Json(name);
        return member.ValueKind switch
        {
            JsonValueKind.Undefined => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => Fault<bool>(name, member, "true or false"),
        };
    }

    public int? Integer(string name) => (int?)Whole(name, int.MinValue, int.MaxValue);

    public long? Long(string name) => Whole(name, long.MinValue, long.MaxValue);

    /// <summary>A duration in seconds, fractions allowed.</summary>
    public TimeSpan? Seconds(string name)
    {
        var member = Json(name);
        if (member.ValueKind is JsonValueKind.Undefined)
        {
            return null;
        }

        const decimal Most = 1e11m; // More than 3,000 years. The limits of the task are checked elsewhere.
        return member.ValueKind == JsonValueKind.Number && member.TryGetDecimal(out var seconds)
            && Math.Abs(seconds) <= Most
            ? TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond))
            : Fault<TimeSpan?>(name, member, "a number of seconds");
    }

    public DateTimeOffset? Time(string name)
    {
        var member = Json(name);
        if (member.ValueKind is JsonValueKind.Undefined)
        {
            return null;
        }

        return UnixTime.Read(member) ?? Fault<DateTimeOffset?>(name, member, "a time: UNIX seconds or ISO 8601 text");
    }

    /// <summary>A value in its text form.</summary>
    public T? Parsed<T>(string name, string allowed)
        where T : struct, IParsable<T>
    {
        var member = Json(name);
        if (member.ValueKind is JsonValueKind.Undefined)
        {
            return null;
        }

        return member.ValueKind == JsonValueKind.String && T.TryParse(member.GetString(), null, out var value)
            ? value
            : Fault<T?>(name, member, allowed);
    }

    /// <summary>An enum value in its upper-case spelling.</summary>
    public T? Word<T>(string name)
        where T : struct, Enum
    {
        var member = Json(name);
        if (member.ValueKind is JsonValueKind.Undefined)
        {
            return null;
        }

        return member.ValueKind == JsonValueKind.String && WireNames<T>.TryRead(member.GetString()!, out var value)
            ? value
            : Fault<T?>(name, member, $"one of {WireNames<T>.All}");
    }

    /// <summary>A list of enum values in their upper-case spelling; null if it is missing.</summary>
    public List<T>? Words<T>(string name)
        where T : struct, Enum
    {
        var collected = faults;
        return Json(name).ValueKind == JsonValueKind.Undefined ? null : List(name, (item, itsPlace) =>
        {
            if (item.ValueKind == JsonValueKind.String && WireNames<T>.TryRead(item.GetString()!, out var value))
            {
                return value;
            }

            collected.Add($"{itsPlace} is {JsonText.Show(item)}; it must be one of {WireNames<T>.All}.");
            return default;
        });
    }

    public List<T> List<T>(string name, Func<JsonElement, string, T> read)
    {
        var items = new List<T>();
        var member = Json(name);
        if (member.ValueKind is JsonValueKind.Undefined)
        {
            return items;
        }

        if (member.ValueKind != JsonValueKind.Array)
        {
            Fault<object>(name, member, "an array");
            return items;
        }

        foreach (var item in member.EnumerateArray())
        {
            items.Add(read(item, $"{place}{name}[{items.Count}]"));
        }

        return items;
    }

    private long? Whole(string name, long least, long most)
    {
        var member = Json(name);
        if (member.ValueKind is JsonValueKind.Undefined)
        {
            return null;
        }

        return member.ValueKind == JsonValueKind.Number && member.TryGetInt64(out var value) && value >= least
            && value <= most
            ? value
            : Fault<long?>(name, member, "a whole number");
    }

    private T? Fault<T>(string name, JsonElement member, string allowed)
    {
        faults.Add($"{place}{name} is {JsonText.Show(member)}; it must be {allowed}.");
        return default;
    }
}

/// <summary>
/// The wire spelling of an enum: its names in upper case, with underscores between words. The exception is EXECUTED for
/// <see cref="TaskState.Executing"/>, as in the Python original.
/// </summary>
internal static class WireNames<T>
    where T : struct, Enum
{
    private static readonly T[] _values = Enum.GetValues<T>();
    private static readonly string[] _words = [.. Enum.GetNames<T>().Select(Word)];

    public static string All { get; } = string.Join(", ", _words);

    /// <summary>The word, or the number of a value without one.</summary>
    public static string Of(T value) =>
        Array.IndexOf(_values, value) is >= 0 and var index ? _words[index] : value.ToString("D");

    public static bool TryRead(string word, out T value)
    {
        var index = Array.IndexOf(_words, word);
        value = index < 0 ? default : _values[index];
        return index >= 0;
    }

    private static string Word(string name) =>
        name switch
        {
            nameof(TaskState.Executing) => "EXECUTED",
            nameof(TaskHold.UnknownCommand) => "UNKNOWN_COMMAND",
            nameof(MissedRuns.RunOnce) => "RUN_ONCE",
            nameof(MissedRuns.RunLatest) => "RUN_LATEST",
            _ => name.ToUpperInvariant(),
        };
}
