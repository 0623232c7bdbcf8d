using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>A page of notifications.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class NotificationPage
{
    /// <summary>
    /// The notifications, the newest first. A page may be short or empty although another follows: it reads a bounded
    /// number of rows.
    /// </summary>
    public required IReadOnlyList<TaskNotification> Items { get; init; }

    /// <summary>The position after which the next page begins; null for the last page.</summary>
    public NotificationCursor? Next { get; init; }
}
