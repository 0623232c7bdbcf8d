using System.Text.Json;

namespace Kaiju.Tasks.Serialization;

/// <summary>The wire form of <see cref="TaskDefinition"/> and <see cref="TaskCommand"/>.</summary>
internal static class DefinitionJson
{
    public static TaskDefinition Read(JsonElement json)
    {
        var faults = new List<string>();
        var definition = Read(json, faults);
        return faults.Count == 0 ? definition : throw new TaskValidationException(definition.Id, faults);
    }

    public static TaskDefinition Read(JsonElement json, List<string> faults)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add($"The task is {JsonText.Show(json)}; it must be an object.");
            return new TaskDefinition { Commands = [] };
        }

        var member = new MemberReader(json, "", faults);
        return new TaskDefinition
        {
            Id = member.Text("id"),
            AppName = member.Text("app_name"),
            Commands = member.List("commands", (item, place) => ReadCommand(item, place, faults)),
            KwsJson = member.Json("kws"),
            Enabled = member.Flag("enabled", true),
            Cron = member.Text("cron"),
            CronTimeZone = member.Text("cron_time_zone"),
            RunAt = member.Time("run_at"),
            Priority = member.Integer("priority") ?? 0,
            MaxExecTimeout = member.Seconds("max_exec_timeout"),
            MaxRetries = member.Integer("max_retries") ?? 0,
            RetryDelay = member.Seconds("retry_delay"),
            RestartPolicy = member.Word<RestartPolicy>("restart_policy") ?? RestartPolicy.Current,
            Notify = member.Flag("notify", false),
            NextTask = member.Text("next_task"),
            System = member.Flag("system", false),
            Description = member.Text("description"),
            MetaJson = member.Json("meta"),
            Group = member.Text("group"),
            GroupId = member.Text("group_id"),
            UserId = member.Text("user_id"),
        };
    }

    public static TaskCommand ReadCommand(JsonElement json, string place, List<string> faults)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add($"{place} is {JsonText.Show(json)}; it must be an object.");
            return new TaskCommand("");
        }

        // A JSON-RPC request object has the same two members, and two more that do not matter here.
        var member = new MemberReader(json, place + ".", faults);
        var condition = member.Json("condition");
        return new TaskCommand(member.Text("method") ?? "", member.Json("params"))
        {
            MaxTimeout = member.Seconds("max_timeout"),
            Condition = condition.ValueKind == JsonValueKind.Undefined ? null : TaskCondition.FromJson(condition),
        };
    }

    public static void WriteMembers(Utf8JsonWriter writer, TaskDefinition definition)
    {
        writer.WriteString("id", definition.Id);
        writer.WriteString("app_name", definition.AppName);
        WriteCommands(writer, definition.Commands);
        WireText.WriteRaw(writer, "kws", definition.KwsJson.ValueKind == JsonValueKind.Undefined ? JsonText.EmptyObject : definition.KwsJson);
        writer.WriteBoolean("enabled", definition.Enabled);
        writer.WriteString("cron", definition.Cron);
        writer.WriteString("cron_time_zone", definition.CronTimeZone);
        UnixTime.Write(writer, "run_at", definition.RunAt);
        writer.WriteNumber("priority", definition.Priority);
        UnixTime.Write(writer, "max_exec_timeout", definition.MaxExecTimeout);
        writer.WriteNumber("max_retries", definition.MaxRetries);
        UnixTime.Write(writer, "retry_delay", definition.RetryDelay);
        writer.WriteString("restart_policy", Words<RestartPolicy>.Of(definition.RestartPolicy));
        writer.WriteBoolean("notify", definition.Notify);
        writer.WriteString("next_task", definition.NextTask);
        writer.WriteBoolean("system", definition.System);
        writer.WriteString("description", definition.Description);
        WireText.WriteRaw(writer, "meta", definition.MetaJson);
        writer.WriteString("group", definition.Group);
        writer.WriteString("group_id", definition.GroupId);
        writer.WriteString("user_id", definition.UserId);
    }

    public static void WriteCommands(Utf8JsonWriter writer, IReadOnlyList<TaskCommand> commands)
    {
        writer.WriteStartArray("commands");
        foreach (var command in commands)
        {
            writer.WriteStartObject();
            writer.WriteString("method", command.Method);
            WireText.WriteRaw(writer, "params", command.ParamsJson);
            UnixTime.Write(writer, "max_timeout", command.MaxTimeout);
            WireText.WriteRaw(writer, "condition", command.Condition?.Json ?? default);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
