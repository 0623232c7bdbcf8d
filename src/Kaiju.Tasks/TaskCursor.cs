using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A position in a list of tasks: the last task of a page. Its text form is opaque and may stand in a URL. It stays
/// valid when that task changes or is deleted.
/// </summary>
/// <param name="Created">The time at which the task was created.</param>
/// <param name="Id">The task's id.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly record struct TaskCursor(DateTimeOffset Created, string Id) : IParsable<TaskCursor>
{
    /// <summary>Reads the text form.</summary>
    /// <param name="text">A text that <see cref="ToString"/> returned.</param>
    /// <exception cref="FormatException">The text is not a cursor.</exception>
    public static TaskCursor Parse(string text) => TryParse(text, out var cursor)
        ? cursor
        : throw new FormatException("The text is not a cursor; pass the Next of a page as it is.");

    /// <summary>Reads the text form, if the text is one.</summary>
    /// <param name="text">A text that <see cref="ToString"/> returned, or any other.</param>
    /// <param name="cursor">The cursor; its default if the text is not one.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out TaskCursor cursor)
    {
        cursor = default;
        if (string.IsNullOrEmpty(text) || !Base64Url.IsValid(text))
        {
            return false;
        }

        var decoded = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text));
        var end = decoded.IndexOf(' ', StringComparison.Ordinal);
        if (end < 0
            || !long.TryParse(decoded.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return false;
        }

        cursor = new TaskCursor(new DateTimeOffset(ticks, TimeSpan.Zero), decoded[(end + 1)..]);
        return true;
    }

    /// <summary>The text form: letters, digits, <c>-</c> and <c>_</c>.</summary>
    public override string ToString() => Base64Url.EncodeToString(
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Created.UtcTicks} {Id}")));

    static TaskCursor IParsable<TaskCursor>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<TaskCursor>.TryParse(
        [NotNullWhen(true)] string? s, IFormatProvider? provider, out TaskCursor result) => TryParse(s, out result);
}
