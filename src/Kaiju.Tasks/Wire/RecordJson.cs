using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// The wire form of <see cref="TaskRecord"/>: the members of the definition and of the state in one object.
/// </summary>
internal static class RecordJson
{
    public static TaskRecord ReadTask(JsonElement json)
    {
        var faults = new List<string>();
        var definition = DefinitionJson.Read(json, faults);
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new TaskValidationException(null, faults);
        }

        var member = new MemberReader(json, "", faults);
        var results = member.List("result", (item, _) => item);
        var created = member.Time("created") ?? DateTimeOffset.UnixEpoch;
        var managed = ReadState(member, definition, created);
        var waiting = member.Json("waiting");
        if (string.IsNullOrEmpty(definition.Id))
        {
            faults.Add("id is missing; a stored task has one.");
        }

        return faults.Count == 0
            ? new TaskRecord
            {
                Definition = definition,
                Managed = managed,
                Created = created,
                Result = results,
                Version = member.Long("version"),
                Waiting = waiting.ValueKind == JsonValueKind.Undefined ? null : DefinitionJson.Read(waiting),
                IsForeign = !IsOwn(member),
            }
            : throw new TaskValidationException(definition.Id, faults);
    }

    public static void WriteTask(Utf8JsonWriter writer, TaskRecord task)
    {
        writer.WriteStartObject();
        DefinitionJson.WriteMembers(writer, task.Definition.Written(WireText.DefaultOptions));
        writer.WriteString("status", WireNames<TaskState>.Of(task.State));
        WriteResults(writer, task.Result);
        writer.WriteNumber("stage", task.Stage);
        writer.WriteNumber("stages", task.Stages);
        UnixTime.Write(writer, "created", task.Created);
        WriteRest(writer, task.Managed);
        var members = new MemberWriter(writer, omitsDefaults: true);
        members.Long("version", task.Version);
        if (task.Waiting is { } waiting)
        {
            writer.WritePropertyName("waiting");
            DefinitionJson.Write(writer, waiting);
        }

        writer.WriteEndObject();
    }

    /// <summary>Writes the state alone, with the same names as in a record.</summary>
    public static void WriteState(Utf8JsonWriter writer, ManagedState state)
    {
        writer.WriteStartObject();
        writer.WriteString("status", WireNames<TaskState>.Of(state.State));
        writer.WriteNumber("stage", state.Stage);
        WriteRest(writer, state);
        writer.WriteEndObject();
    }

    public static ManagedState ReadState(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The state", json, faults))
        {
            return new ManagedState { JobId = "", ResultRun = "" };
        }

        var member = new MemberReader(json, "", faults);
        _ = member.Needed("job_id");
        return ReadState(member, new TaskDefinition { Commands = [] }, DateTimeOffset.UnixEpoch);
    }

    public static void WriteResults(Utf8JsonWriter writer, IReadOnlyList<JsonElement> results)
    {
        writer.WriteStartArray("result");
        foreach (var result in results)
        {
            WireText.WriteRaw(writer, result);
        }

        writer.WriteEndArray();
    }

    public static void WriteOutcome(Utf8JsonWriter writer, TaskExitCode? exitCode, TaskError? error)
    {
        if (exitCode is { } code)
        {
            writer.WriteNumber("exit_code", (int)code);
        }
        else
        {
            writer.WriteNull("exit_code");
        }

        WireText.WriteRaw(writer, "error", error?.Json ?? default);
    }

    public static TaskExitCode? ReadExitCode(MemberReader member) => (TaskExitCode?)member.Integer("exit_code");

    public static TaskError? ReadError(MemberReader member) =>
        member.Json("error") is { ValueKind: not JsonValueKind.Undefined } error ? TaskError.FromJson(error) : null;

    private static void WriteRest(Utf8JsonWriter writer, ManagedState state)
    {
        UnixTime.Write(writer, "queued_at", state.QueuedAt);
        UnixTime.Write(writer, "exec_deadline", state.ExecDeadline);
        UnixTime.Write(writer, "wait_deadline", state.WaitDeadline);
        UnixTime.Write(writer, "next_run", state.NextRun);
        UnixTime.Write(writer, "retry_at", state.RetryAt);
        UnixTime.Write(writer, "status_change", state.StatusChange);
        writer.WriteString("executor_id", state.ExecutorId);
        writer.WriteString("job_id", state.JobId);
        writer.WriteNumber("retries", state.Retries);
        WriteOutcome(writer, state.ExitCode, state.Error);
        WriteOwn(writer, state);
    }

    /// <summary>Writes the members that the Python original does not have, beside those that it has.</summary>
    private static void WriteOwn(Utf8JsonWriter writer, ManagedState state)
    {
        if (state.Hold != TaskHold.None)
        {
            writer.WriteString("hold", WireNames<TaskHold>.Of(state.Hold));
        }

        var members = new MemberWriter(writer, omitsDefaults: true);
        members.Integer("free_retries", state.FreeRetries);
        members.Integer("stage_retries", state.StageRetries);
        members.Integer("snoozes", state.Snoozes);
        writer.WriteNumber("pass", state.Pass);
        writer.WriteNumber("interruptions", state.Interruptions);
        writer.WriteString("result_run", state.ResultRun);
        writer.WriteNumber("result_pass", state.ResultPass);
        writer.WriteString("wait", WireNames<WaitKind>.Of(state.Wait));
        UnixTime.Write(writer, "occurrence", state.Occurrence);
        writer.WriteNumber("skipped", state.Skipped);
        members.Json("changes", state.Changes?.Json ?? default);
        writer.WriteString("chain", WireNames<ChainResult>.Of(state.Chain));
    }

    private static bool IsOwn(MemberReader member) => member.Json("pass").ValueKind != JsonValueKind.Undefined;

    private static ManagedState ReadState(MemberReader member, TaskDefinition definition, DateTimeOffset created)
    {
        var state = member.Word<TaskState>("status") ?? TaskState.Idle;
        var stage = member.Integer("stage") ?? 0;
        var jobId = member.Text("job_id") ?? definition.Id ?? "";
        var waitDeadline = member.Time("wait_deadline");
        return new ManagedState
        {
            State = state,
            Stage = stage,
            JobId = jobId,
            Hold = member.Word<TaskHold>("hold") ?? TaskHold.None,
            Pass = member.Integer("pass") ?? 0,
            Interruptions = member.Integer("interruptions") ?? 0,
            ResultRun = member.Text("result_run") ?? jobId,
            ResultPass = member.Integer("result_pass") ?? 0,
            Retries = member.Integer("retries") ?? 0,
            FreeRetries = member.Integer("free_retries") ?? 0,
            StageRetries = member.Integer("stage_retries") ?? 0,
            Snoozes = member.Integer("snoozes") ?? 0,
            QueuedAt = member.Time("queued_at"),
            ExecDeadline = member.Time("exec_deadline"),
            Wait = member.Word<WaitKind>("wait") ?? (state == TaskState.Waiting
                ? WaitOf(definition, stage, waitDeadline)
                : WaitKind.None),
            WaitDeadline = waitDeadline,
            NextRun = member.Time("next_run"),
            RetryAt = member.Time("retry_at"),
            StatusChange = member.Time("status_change") ?? created,
            Occurrence = member.Time("occurrence"),
            Skipped = member.Long("skipped") ?? 0,
            Changes = member.Json("changes") is { ValueKind: JsonValueKind.Object } changes
                ? RunChanges.FromJson(changes.GetRawText())
                : null,
            Chain = member.Word<ChainResult>("chain") ?? ChainResult.None,
            ExecutorId = member.Text("executor_id"),
            ExitCode = ReadExitCode(member),
            Error = ReadError(member),
        };
    }

    private static WaitKind WaitOf(TaskDefinition definition, int stage, DateTimeOffset? deadline) =>
        deadline is null || (stage < definition.Commands.Count
            && definition.Commands[stage].Method == MessageCommand.MethodName)
            ? WaitKind.Message
            : WaitKind.Timer;
}
