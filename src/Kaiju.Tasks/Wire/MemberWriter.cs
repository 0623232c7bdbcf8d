using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// Writes the members of an object one by one. If the caller asks for it, members are left out that have the value that
/// <see cref="MemberReader"/> reads for a missing one.
/// </summary>
internal readonly struct MemberWriter(Utf8JsonWriter writer, bool omitsDefaults)
{
    public void Text(string name, string? text)
    {
        if (text is not null || !omitsDefaults)
        {
            writer.WriteString(name, text);
        }
    }

    public void Flag(string name, bool flag, bool otherwise)
    {
        if (flag != otherwise || !omitsDefaults)
        {
            writer.WriteBoolean(name, flag);
        }
    }

    /// <summary>A flag that may be unknown.</summary>
    public void Flag(string name, bool? flag)
    {
        if (flag is { } known)
        {
            writer.WriteBoolean(name, known);
        }
        else if (!omitsDefaults)
        {
            writer.WriteNull(name);
        }
    }

    /// <summary>A number that may be missing.</summary>
    public void Long(string name, long? number)
    {
        if (number is { } known)
        {
            writer.WriteNumber(name, known);
        }
        else if (!omitsDefaults)
        {
            writer.WriteNull(name);
        }
    }

    public void Integer(string name, int number)
    {
        if (number != 0 || !omitsDefaults)
        {
            writer.WriteNumber(name, number);
        }
    }

    /// <summary>A number that may be missing; if defaults are left out, missing and 0 mean the same.</summary>
    public void Integer(string name, int? number)
    {
        if (number is { } known)
        {
            Integer(name, known);
        }
        else
        {
            Long(name, null);
        }
    }

    public void Seconds(string name, TimeSpan? duration)
    {
        if (duration is not null || !omitsDefaults)
        {
            UnixTime.Write(writer, name, duration);
        }
    }

    public void Time(string name, DateTimeOffset? time)
    {
        if (time is not null || !omitsDefaults)
        {
            UnixTime.Write(writer, name, time);
        }
    }

    public void Json(string name, JsonElement json)
    {
        if (!JsonText.IsNothing(json) || !omitsDefaults)
        {
            WireText.WriteRaw(writer, name, json);
        }
    }

    /// <summary>An enum value in its upper-case spelling; the first one is the default.</summary>
    public void Word<T>(string name, T value)
        where T : struct, Enum
    {
        if (!omitsDefaults || !EqualityComparer<T>.Default.Equals(value, default))
        {
            writer.WriteString(name, WireNames<T>.Of(value));
        }
    }

    /// <summary>An enum value that may be missing, in its upper-case spelling.</summary>
    public void Word<T>(string name, T? value)
        where T : struct, Enum
    {
        if (value is { } known)
        {
            writer.WriteString(name, WireNames<T>.Of(known));
        }
        else if (!omitsDefaults)
        {
            writer.WriteNull(name);
        }
    }

    /// <summary>A list of enum values that may be missing, in their upper-case spelling.</summary>
    public void Words<T>(string name, IReadOnlyCollection<T>? values)
        where T : struct, Enum
    {
        if (values is not null)
        {
            writer.WriteStartArray(name);
            foreach (var value in values)
            {
                writer.WriteStringValue(WireNames<T>.Of(value));
            }

            writer.WriteEndArray();
        }
        else if (!omitsDefaults)
        {
            writer.WriteNull(name);
        }
    }
}
