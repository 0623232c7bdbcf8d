using System.Globalization;
using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// Times on the wire: UNIX seconds, with a fraction if there is one. ISO 8601 text is read as well.
/// </summary>
internal static class UnixTime
{
    private static readonly decimal _first = DateTimeOffset.MinValue.ToUnixTimeSeconds();
    private static readonly decimal _last = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    public static decimal ToSeconds(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / (decimal)TimeSpan.TicksPerSecond;

    public static DateTimeOffset? FromSeconds(decimal seconds)
    {
        // Some programs write the latest time rounded up to a whole second. Read it as the latest time.
        if (seconds > _last)
        {
            return seconds <= _last + 1 ? DateTimeOffset.MaxValue : null;
        }

        return seconds < _first ? null : DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
    }

    /// <summary>Reads a number of seconds or an ISO 8601 text; text without an offset is UTC.</summary>
    public static DateTimeOffset? Read(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Number when json.TryGetDecimal(out var seconds) => FromSeconds(seconds),
        JsonValueKind.String when DateTimeOffset.TryParse(
            json.GetString(),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time) => time,
        _ => null,
    };

    public static void Write(Utf8JsonWriter writer, string name, DateTimeOffset? time)
    {
        if (time is { } value)
        {
            Write(writer, name, ToSeconds(value));
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    public static void Write(Utf8JsonWriter writer, string name, TimeSpan? duration)
    {
        if (duration is { } value)
        {
            Write(writer, name, value.Ticks / (decimal)TimeSpan.TicksPerSecond);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    // G29 omits the trailing zeros that a decimal division leaves.
    private static void Write(Utf8JsonWriter writer, string name, decimal seconds)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(seconds.ToString("G29", CultureInfo.InvariantCulture), skipInputValidation: true);
    }
}
