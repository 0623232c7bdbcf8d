using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A position in a list of notifications: the last one of a page. Its text form is opaque and fit for a URL.
/// </summary>
/// <param name="id">The notification's id.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly struct NotificationCursor(long id) : IParsable<NotificationCursor>
{
    /// <summary>The notification's id.</summary>
    public long Id { get; } = id;

    /// <summary>Reads the text form.</summary>
    /// <param name="s">What <see cref="ToString"/> returned.</param>
    /// <param name="provider">Ignored: the text form is the same in every culture.</param>
    /// <exception cref="FormatException">The text is not a cursor.</exception>
    public static NotificationCursor Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var cursor)
            ? cursor
            : throw new FormatException("The text is not a cursor; pass the Next of a page as it is.");

    /// <summary>Reads the text form, if the text is one.</summary>
    /// <param name="s">What <see cref="ToString"/> returned, or any text.</param>
    /// <param name="provider">Ignored: the text form is the same in every culture.</param>
    /// <param name="result">The cursor.</param>
    public static bool TryParse(
        [NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out NotificationCursor result)
    {
        var isRead = long.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
        result = new NotificationCursor(id);
        return isRead;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => Id.ToString(CultureInfo.InvariantCulture);
}
