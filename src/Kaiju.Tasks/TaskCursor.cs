using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A position in a list of tasks: the last task of a page. Its text form is opaque and fit for a URL; it stays valid
/// when that task changes or is deleted.
/// </summary>
/// <param name="Created">When the task was created.</param>
/// <param name="Id">The task's id.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly record struct TaskCursor(DateTimeOffset Created, string Id) : IParsable<TaskCursor>
{
    /// <summary>Reads the text form.</summary>
    /// <param name="s">What <see cref="ToString"/> returned.</param>
    /// <param name="provider">Ignored: the text form is the same in every culture.</param>
    /// <exception cref="FormatException">The text is not a cursor.</exception>
    public static TaskCursor Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var cursor)
            ? cursor
            : throw new FormatException("The text is not a cursor; pass the Next of a page as it is.");

    /// <summary>Reads the text form, if the text is one.</summary>
    /// <param name="s">What <see cref="ToString"/> returned, or any text.</param>
    /// <param name="provider">Ignored: the text form is the same in every culture.</param>
    /// <param name="result">The cursor.</param>
    public static bool TryParse(
        [NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out TaskCursor result)
    {
        result = default;
        if (string.IsNullOrEmpty(s) || !Base64Url.IsValid(s))
        {
            return false;
        }

        var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(s));
        var end = text.IndexOf(' ', StringComparison.Ordinal);
        if (end < 0
            || !long.TryParse(text.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return false;
        }

        result = new TaskCursor(new DateTimeOffset(ticks, TimeSpan.Zero), text[(end + 1)..]);
        return true;
    }

    /// <summary>The text form: letters, digits, <c>-</c> and <c>_</c>.</summary>
    public override string ToString() => Base64Url.EncodeToString(
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Created.UtcTicks} {Id}")));
}
