using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>Which notifications to list. Members that are null do not matter.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record NotificationQuery
{
    /// <summary>Those of this user's tasks.</summary>
    public string? UserId { get; init; }

    /// <summary>Those of this task.</summary>
    public string? TaskId { get; init; }

    /// <summary>True: those that are read; false: those that are not.</summary>
    public bool? IsRead { get; init; }

    /// <summary>Those older than this one, for the next page.</summary>
    public long? Before { get; init; }
}
