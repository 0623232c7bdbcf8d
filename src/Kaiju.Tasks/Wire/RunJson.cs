using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// The wire form of <see cref="TaskRun"/> and of <see cref="StageEntry"/>, with the same names as in a record.
/// </summary>
internal static class RunJson
{
    public static TaskRun Read(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The run", json, faults))
        {
            return new TaskRun { TaskId = "", JobId = "", State = TaskState.Finished, Ended = default };
        }

        var member = new MemberReader(json, "", faults);
        return new TaskRun
        {
            TaskId = member.Needed("task_id"),
            JobId = member.Needed("job_id"),
            State = member.Word<TaskState>("status") ?? TaskState.Finished,
            ExitCode = RecordJson.ReadExitCode(member),
            Error = RecordJson.ReadError(member),
            Result = member.List("result", (item, _) => item),
            Retries = member.Integer("retries") ?? 0,
            Occurrence = member.Time("occurrence"),
            Chain = member.Word<ChainResult>("chain") ?? ChainResult.None,
            QueuedAt = member.Time("queued_at"),
            Ended = member.Time("ended") ?? DateTimeOffset.UnixEpoch,
        };
    }

    public static void Write(Utf8JsonWriter writer, TaskRun run)
    {
        writer.WriteStartObject();
        writer.WriteString("task_id", run.TaskId);
        writer.WriteString("job_id", run.JobId);
        writer.WriteString("status", WireNames<TaskState>.Of(run.State));
        RecordJson.WriteResults(writer, run.Result);
        writer.WriteNumber("retries", run.Retries);
        RecordJson.WriteOutcome(writer, run.ExitCode, run.Error);
        UnixTime.Write(writer, "occurrence", run.Occurrence);
        writer.WriteString("chain", WireNames<ChainResult>.Of(run.Chain));
        UnixTime.Write(writer, "queued_at", run.QueuedAt);
        UnixTime.Write(writer, "ended", run.Ended);
        writer.WriteEndObject();
    }

    public static StageEntry ReadEntry(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The stage's entry", json, faults))
        {
            return new StageEntry
            {
                JobId = "",
                Pass = 0,
                Stage = 0,
                Attempt = 1,
                Started = default,
                Finished = default,
            };
        }

        var member = new MemberReader(json, "", faults);
        return new StageEntry
        {
            JobId = member.Needed("job_id"),
            Pass = member.Integer("pass") ?? 0,
            Stage = member.Integer("stage") ?? 0,
            Attempt = member.Integer("attempt") ?? 1,
            Started = member.Time("started") ?? DateTimeOffset.UnixEpoch,
            Finished = member.Time("finished") ?? DateTimeOffset.UnixEpoch,
            Result = json.TryGetProperty("result", out var result) ? result : default,
            Error = RecordJson.ReadError(member),
        };
    }

    /// <summary>
    /// Writes an entry without its claim, which only the executor may know. A stage that failed has no
    /// <c>result</c>; null is a result.
    /// </summary>
    public static void WriteEntry(Utf8JsonWriter writer, StageEntry entry)
    {
        writer.WriteStartObject();
        writer.WriteString("job_id", entry.JobId);
        writer.WriteNumber("pass", entry.Pass);
        writer.WriteNumber("stage", entry.Stage);
        writer.WriteNumber("attempt", entry.Attempt);
        UnixTime.Write(writer, "started", entry.Started);
        UnixTime.Write(writer, "finished", entry.Finished);
        if (entry.Result.ValueKind != JsonValueKind.Undefined)
        {
            WireText.WriteRaw(writer, "result", entry.Result);
        }

        WireText.WriteRaw(writer, "error", entry.Error?.Json ?? default);
        writer.WriteEndObject();
    }
}
