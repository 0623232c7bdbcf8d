using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of <see cref="ExecutorTask"/>.</summary>
internal static class ExecutorTaskJson
{
    public static ExecutorTask Read(JsonElement json)
    {
        var faults = new List<string>();
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new TaskValidationException(
                null, [$"The executor's task is {JsonText.Show(json)}; it must be an object."]);
        }

        var member = new MemberReader(json, "", faults);
        var claim = member.Text("claim");
        if (!Guid.TryParse(claim, out var fence))
        {
            faults.Add($"claim is {JsonText.Quote(claim ?? "")}; it must be a UUID.");
        }

        var id = member.Text("id");
        var task = new ExecutorTask
        {
            Id = id ?? "",
            AppName = member.Text("app_name") ?? "",
            ExecutorId = member.Text("executor_id") ?? "",
            Claim = fence,
            JobId = member.Text("job_id") ?? "",
            Pass = member.Integer("pass") ?? 0,
            Attempt = member.Integer("attempt") ?? 1,
            Stage = member.Integer("stage") ?? 0,
            Stages = member.Integer("stages") ?? 0,
            Commands = member.List("commands", (item, place) => DefinitionJson.ReadCommand(item, place, faults)),
            Result = member.List("result", (item, _) => item),
            Kws = member.Json("kws"),
            Meta = JsonText.IsNothing(member.Json("meta")) ? JsonText.EmptyObject : member.Json("meta"),
            ExecDeadline = member.Time("exec_deadline") ?? DateTimeOffset.MaxValue,
            TimeLeft = member.Seconds("time_left") ?? TimeSpan.Zero,
            StoreKey = member.Long("store_key") ?? 0,
            MaxRetries = member.Integer("max_retries") ?? 0,
            RetryDelay = member.Seconds("retry_delay"),
            Retries = member.Integer("retries") ?? (member.Integer("attempt") ?? 1) - 1,
            StageRetries = member.Integer("stage_retries") ?? 0,
            QueuedFor = member.Seconds("queued_for") ?? TimeSpan.Zero,
        };
        return faults.Count == 0 ? task : throw new TaskValidationException(id, faults);
    }

    public static void Write(Utf8JsonWriter writer, ExecutorTask task)
    {
        writer.WriteStartObject();
        writer.WriteString("id", task.Id);
        writer.WriteString("app_name", task.AppName);
        writer.WriteString("executor_id", task.ExecutorId);
        writer.WriteString("claim", task.Claim);
        writer.WriteString("job_id", task.JobId);
        writer.WriteNumber("pass", task.Pass);
        writer.WriteNumber("attempt", task.Attempt);
        writer.WriteNumber("stage", task.Stage);
        writer.WriteNumber("stages", task.Stages);
        DefinitionJson.WriteCommands(writer, task.Commands);
        RecordJson.WriteResults(writer, task.Result);
        WireText.WriteRaw(
            writer, "kws", task.Kws.ValueKind == JsonValueKind.Undefined ? JsonText.EmptyObject : task.Kws);
        if (JsonText.Size(task.Meta) > JsonText.Size(JsonText.EmptyObject))
        {
            WireText.WriteRaw(writer, "meta", task.Meta);
        }

        UnixTime.Write(writer, "exec_deadline", task.ExecDeadline);
        UnixTime.Write(writer, "time_left", task.TimeLeft);
        var members = new MemberWriter(writer, omitsDefaults: true);
        members.Integer("max_retries", task.MaxRetries);
        members.Seconds("retry_delay", task.RetryDelay);
        if (task.Retries != task.Attempt - 1)
        {
            writer.WriteNumber("retries", task.Retries);
        }

        members.Integer("stage_retries", task.StageRetries);
        UnixTime.Write(writer, "queued_for", task.QueuedFor);
        if (task.StoreKey != 0)
        {
            writer.WriteNumber("store_key", task.StoreKey);
        }

        writer.WriteEndObject();
    }
}
