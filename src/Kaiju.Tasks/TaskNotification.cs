using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A notification about the end or the failure of a task with <see cref="TaskDefinition.Notify"/>. It is stored in the
/// same transaction as the outcome.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskNotification
{
    private bool _isRead;

    /// <summary>The type of notification. Always <c>task.result</c>.</summary>
    public string Message { get; init; } = "task.result";

    /// <summary>The notification's id. Later notifications have greater ids.</summary>
    public required long Id { get; init; }

    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>The run's id.</summary>
    public required string JobId { get; init; }

    /// <summary>The user to whom the task belongs (<see cref="TaskDefinition.UserId"/>).</summary>
    public string? UserId { get; init; }

    /// <summary>
    /// The task's state, <see cref="TaskState.Finished"/> or <see cref="TaskState.Failed"/>. Its JSON name is
    /// <c>status</c>.
    /// </summary>
    public required TaskState State { get; init; }

    /// <summary>True if the run has ended. False if it failed and will be retried.</summary>
    public required bool IsFinal { get; init; }

    /// <summary>The run's exit code.</summary>
    public TaskExitCode? ExitCode { get; init; }

    /// <summary>The run's error; null if it finished.</summary>
    public TaskError? Error { get; init; }

    /// <summary>The results of the stages that completed, in order.</summary>
    public IReadOnlyList<JsonElement> Result { get; init; } = [];

    /// <summary>True if the notification was marked as read.</summary>
    public bool IsRead
    {
        get => _isRead;
        init => _isRead = value;
    }

    /// <summary>The time at which the notification was created, by the store's clock.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Reads a notification that <see cref="ToJson"/> has written.</summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="TaskValidationException">
    /// The JSON is not a notification; the message names every invalid member.
    /// </exception>
    public static TaskNotification FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return NotificationJson.Read(WireText.Parse(json));
    }

    /// <summary>Returns the notification, marked as read.</summary>
    internal TaskNotification AsRead()
    {
        var copy = (TaskNotification)MemberwiseClone();
        copy._isRead = true;
        return copy;
    }

    /// <summary>Writes the notification as JSON that <see cref="FromJson"/> reads.</summary>
    public string ToJson() => WireText.Write(this, NotificationJson.Write);
}
