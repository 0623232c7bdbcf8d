using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of <see cref="TaskNotification"/>.</summary>
internal static class NotificationJson
{
    public static TaskNotification Read(JsonElement json)
    {
        var faults = new List<string>();
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new TaskValidationException(
                null, [$"The notification is {JsonText.Show(json)}; it must be an object."]);
        }

        var member = new MemberReader(json, "", faults);
        var notification = new TaskNotification
        {
            Message = member.Text("message") ?? "task.result",
            Id = member.Json("id") is { ValueKind: JsonValueKind.Number } id && id.TryGetInt64(out var number)
                ? number
                : 0,
            TaskId = member.Text("task_id") ?? "",
            JobId = member.Text("job_id") ?? "",
            UserId = member.Text("user_id"),
            State = member.Word<TaskState>("status") ?? TaskState.Finished,
            IsFinal = member.Flag("final", true),
            IsRead = member.Flag("read", false),
            ExitCode = RecordJson.ReadExitCode(member),
            Error = RecordJson.ReadError(member),
            Result = member.List("result", (item, _) => item),
            Created = member.Time("created") ?? DateTimeOffset.UnixEpoch,
        };
        return faults.Count == 0 ? notification : throw new TaskValidationException(notification.TaskId, faults);
    }

    public static void Write(Utf8JsonWriter writer, TaskNotification notification)
    {
        writer.WriteStartObject();
        writer.WriteString("message", notification.Message);
        writer.WriteNumber("id", notification.Id);
        writer.WriteString("task_id", notification.TaskId);
        writer.WriteString("job_id", notification.JobId);
        writer.WriteString("user_id", notification.UserId);
        writer.WriteString("status", WireNames<TaskState>.Of(notification.State));
        writer.WriteBoolean("final", notification.IsFinal);
        writer.WriteBoolean("read", notification.IsRead);
        RecordJson.WriteResults(writer, notification.Result);
        RecordJson.WriteOutcome(writer, notification.ExitCode, notification.Error);
        UnixTime.Write(writer, "created", notification.Created);
        writer.WriteEndObject();
    }
}
