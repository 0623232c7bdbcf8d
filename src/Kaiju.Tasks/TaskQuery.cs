using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>Which tasks to list. Members that are null do not matter.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TaskQuery
{
    /// <summary>Tasks in this state.</summary>
    public TaskState? State { get; init; }

    /// <summary>Tasks of this app.</summary>
    public string? AppName { get; init; }

    /// <summary>Tasks of this group.</summary>
    public string? Group { get; init; }

    /// <summary>Tasks of this group id.</summary>
    public string? GroupId { get; init; }

    /// <summary>Tasks of this user.</summary>
    public string? UserId { get; init; }

    /// <summary>True: tasks with cron; false: tasks without.</summary>
    public bool? IsPeriodic { get; init; }

    /// <summary>Tasks whose id begins with this.</summary>
    public string? IdPrefix { get; init; }

    /// <summary>Tasks created then or later.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Tasks created before then.</summary>
    public DateTimeOffset? CreatedTo { get; init; }
}
