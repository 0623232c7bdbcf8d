using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// What a task with <see cref="TaskDefinition.Notify"/> leaves at its end and at each failure, in the same transaction.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskNotification
{
    /// <summary>What it is about. Always <c>task.result</c> so far.</summary>
    public string Message { get; init; } = "task.result";

    /// <summary>Its place in the order of all notifications; later ones are greater.</summary>
    public required long Id { get; init; }

    /// <summary>The task.</summary>
    public required string TaskId { get; init; }

    /// <summary>The run.</summary>
    public required string JobId { get; init; }

    /// <summary>Whose task it is.</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// <see cref="TaskState.Finished"/> or <see cref="TaskState.Failed"/>. Its JSON name is <c>status</c>.
    /// </summary>
    public required TaskState State { get; init; }

    /// <summary>False: the run failed and is tried again.</summary>
    public required bool IsFinal { get; init; }

    /// <summary>How the run ended.</summary>
    public TaskExitCode? ExitCode { get; init; }

    /// <summary>Why it failed.</summary>
    public TaskError? Error { get; init; }

    /// <summary>The results that there were.</summary>
    public IReadOnlyList<JsonElement> Result { get; init; } = [];

    /// <summary>Somebody has marked it as read.</summary>
    public bool IsRead { get; init; }

    /// <summary>When it was left.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Reads a notification that <see cref="ToJson"/> has written.</summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="TaskValidationException">It is no such object; every member that is wrong is named.</exception>
    public static TaskNotification FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return NotificationJson.Read(WireText.Parse(json));
    }

    /// <summary>The notification after it was marked as read.</summary>
    internal TaskNotification AsRead() => new()
    {
        Message = Message,
        Id = Id,
        TaskId = TaskId,
        JobId = JobId,
        UserId = UserId,
        State = State,
        IsFinal = IsFinal,
        ExitCode = ExitCode,
        Error = Error,
        Result = Result,
        IsRead = true,
        Created = Created,
    };

    /// <summary>Writes the notification.</summary>
    public string ToJson() => WireText.Write(this, NotificationJson.Write);
}
