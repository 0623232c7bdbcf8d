using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// Selects notifications. Each member that is set narrows the selection; the default selects all notifications.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class NotificationQuery
{
    /// <summary>Notifications of this user's tasks. Default: null, for any.</summary>
    public string? UserId { get; init; }

    /// <summary>Notifications of this task. Default: null, for any.</summary>
    public string? TaskId { get; init; }

    /// <summary>True: those that are read. False: those that are unread. Default: null, for both.</summary>
    public bool? IsRead { get; init; }
}
