using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A position in a list of notifications: the last one of a page. Its text form is opaque and may stand in a URL.
/// </summary>
/// <param name="id">The notification's id.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly struct NotificationCursor(long id) : IParsable<NotificationCursor>
{
    /// <summary>The notification's id.</summary>
    public long Id { get; } = id;

    /// <summary>Reads the text form.</summary>
    /// <param name="text">A text that <see cref="ToString"/> returned.</param>
    /// <exception cref="FormatException">The text is not a cursor.</exception>
    public static NotificationCursor Parse(string text) => TryParse(text, out var cursor)
        ? cursor
        : throw new FormatException("The text is not a cursor; pass the Next of a page as it is.");

    /// <summary>Reads the text form, if the text is one.</summary>
    /// <param name="text">A text that <see cref="ToString"/> returned, or any other.</param>
    /// <param name="cursor">The cursor; its default if the text is not one.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out NotificationCursor cursor)
    {
        var isRead = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
        cursor = new NotificationCursor(id);
        return isRead;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => Id.ToString(CultureInfo.InvariantCulture);

    static NotificationCursor IParsable<NotificationCursor>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<NotificationCursor>.TryParse(
        [NotNullWhen(true)] string? s, IFormatProvider? provider, out NotificationCursor result) =>
        TryParse(s, out result);
}
