using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>One page of notifications.</summary>
/// <param name="Notifications">
/// The notifications, newest first. There may be fewer than were asked for, even none, and more on the next page.
/// </param>
/// <param name="Next">The <see cref="NotificationQuery.Before"/> of the next page; null: this is the last one.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record NotificationPage(IReadOnlyList<TaskNotification> Notifications, long? Next);
