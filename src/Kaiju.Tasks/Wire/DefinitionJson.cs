using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of <see cref="TaskDefinition"/> and <see cref="TaskCommand"/>.</summary>
internal static class DefinitionJson
{
    private static readonly byte[][] _members =
        UnknownMembers.NamesOf(WireText.Write(new TaskDefinition { Commands = [] }, Write));
    private static readonly byte[][] _membersOfCommand =
        UnknownMembers.NamesOf(WireText.Write(
            new TaskCommand("") { MaxRetries = 0, RetryDelay = TimeSpan.Zero }, WriteCommand));

    public static TaskDefinition Read(JsonElement json)
    {
        var faults = new List<string>();
        var definition = Read(json, faults);
        return faults.Count == 0 ? definition : throw new TaskValidationException(definition.Id, faults);
    }

    public static TaskDefinition Read(JsonElement json, List<string> faults) =>
        Read(json, faults, keepsUnknown: false);

    private static TaskDefinition Read(JsonElement json, List<string> faults, bool keepsUnknown)
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
            Commands = member.List("commands", (item, place) => ReadCommand(item, place, faults, keepsUnknown)),
            KwsJson = member.Json("kws"),
            Enabled = member.Flag("enabled", true),
            Cron = member.Text("cron"),
            CronTimeZone = member.Text("cron_time_zone"),
            RunAt = member.Time("run_at"),
            MissedRuns = member.Word<MissedRuns>("missed_runs"),
            Priority = member.Integer("priority") ?? 0,
            MaxExecTimeout = member.Seconds("max_exec_timeout"),
            MaxRetries = member.Integer("max_retries"),
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
            Unknown = keepsUnknown ? UnknownMembers.Find(json, _members) : null,
        };
    }

    public static TaskCommand ReadCommand(
        JsonElement json, string place, List<string> faults, bool keepsUnknown = false)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add($"{place} is {JsonText.Show(json)}; it must be an object.");
            return new TaskCommand("");
        }

        // A JSON-RPC request object has the members method and params too, and two more that are ignored.
        var member = new MemberReader(json, place + ".", faults);
        var condition = member.Json("condition");
        return new TaskCommand(member.Text("method") ?? "", member.Json("params"))
        {
            MaxTimeout = member.Seconds("max_timeout"),
            MaxRetries = member.Integer("max_retries"),
            RetryDelay = member.Seconds("retry_delay"),
            Condition = condition.ValueKind == JsonValueKind.Undefined ? null : TaskCondition.FromJson(condition),
            Unknown = keepsUnknown ? UnknownMembers.Find(json, _membersOfCommand) : null,
        };
    }

    /// <summary>
    /// Reads the JSON that <see cref="WriteStored"/> of this or another version has written. It is not validated again.
    /// </summary>
    /// <exception cref="JsonException">The JSON is not a stored definition.</exception>
    public static TaskDefinition ReadStored(ReadOnlySpan<byte> utf8, string id, string appName)
    {
        var faults = new List<string>();
        var json = JsonElement.Parse(utf8, new JsonDocumentOptions { MaxDepth = WireText.Depth });
        var definition = Read(json, faults, keepsUnknown: true);
        if (faults.Count > 0 || definition.Commands.Count == 0)
        {
            throw new JsonException($"The JSON is not a stored definition. {string.Join(' ', faults)}");
        }

        return definition with
        {
            Id = id,
            AppName = appName,
            MaxRetries = definition.MaxRetries ?? 0,
            KwsJson = JsonText.IsNothing(definition.KwsJson) ? JsonText.EmptyObject : definition.KwsJson,
        };
    }

    /// <summary>
    /// Writes the wire form without id and app, which stores keep in columns of their own, and without defaults. Only
    /// here members are written that this version does not know.
    /// </summary>
    public static string WriteStored(TaskDefinition definition) =>
        WireText.Write(definition, static (writer, definition) =>
    {
        writer.WriteStartObject();
        WriteMembers(writer, definition with { Id = null, AppName = null }, omitsDefaults: true);
        definition.Unknown?.WriteTo(writer);
        writer.WriteEndObject();
    });

    /// <summary>Writes the wire form. Objects of the caller are written with Web defaults.</summary>
    public static void Write(Utf8JsonWriter writer, TaskDefinition definition)
    {
        writer.WriteStartObject();
        WriteMembers(writer, definition.Written(WireText.DefaultOptions));
        writer.WriteEndObject();
    }

    public static void WriteMembers(Utf8JsonWriter writer, TaskDefinition definition, bool omitsDefaults = false)
    {
        var members = new MemberWriter(writer, omitsDefaults);
        members.Text("id", definition.Id);
        members.Text("app_name", definition.AppName);
        WriteCommands(writer, definition.Commands, omitsDefaults);
        if (!omitsDefaults || JsonText.Size(definition.KwsJson) > JsonText.Size(JsonText.EmptyObject))
        {
            // Missing kws and {} mean the same.
            members.Json(
                "kws",
                definition.KwsJson.ValueKind == JsonValueKind.Undefined ? JsonText.EmptyObject : definition.KwsJson);
        }

        members.Flag("enabled", definition.Enabled, true);
        members.Text("cron", definition.Cron);
        members.Text("cron_time_zone", definition.CronTimeZone);
        members.Time("run_at", definition.RunAt);
        members.Word("missed_runs", definition.MissedRuns);
        members.Integer("priority", definition.Priority);
        members.Seconds("max_exec_timeout", definition.MaxExecTimeout);
        members.Integer("max_retries", definition.MaxRetries);
        members.Seconds("retry_delay", definition.RetryDelay);
        members.Word("restart_policy", definition.RestartPolicy);
        members.Flag("notify", definition.Notify, false);
        members.Text("next_task", definition.NextTask);
        members.Flag("system", definition.System, false);
        members.Text("description", definition.Description);
        members.Json("meta", definition.MetaJson);
        members.Text("group", definition.Group);
        members.Text("group_id", definition.GroupId);
        members.Text("user_id", definition.UserId);
    }

    public static void WriteCommands(
        Utf8JsonWriter writer, IReadOnlyList<TaskCommand>? commands, bool omitsDefaults = false)
    {
        if (commands is null)
        {
            writer.WriteNull("commands");
            return;
        }

        writer.WriteStartArray("commands");
        foreach (var command in commands)
        {
            WriteCommand(writer, command, omitsDefaults);
        }

        writer.WriteEndArray();
    }

    public static void WriteCommand(Utf8JsonWriter writer, TaskCommand command) =>
        WriteCommand(writer, command, omitsDefaults: false);

    private static void WriteCommand(Utf8JsonWriter writer, TaskCommand? command, bool omitsDefaults)
    {
        if (command is null)
        {
            writer.WriteNullValue();
            return;
        }

        var members = new MemberWriter(writer, omitsDefaults);
        writer.WriteStartObject();
        members.Text("method", command.Method);
        members.Json("params", command.ParamsJson);
        members.Seconds("max_timeout", command.MaxTimeout);
        members.Json("condition", command.Condition?.Json ?? default);

        // Only if they are set: the original has no such members. Zero retries are not the same as none set.
        if (command.MaxRetries is { } maxRetries)
        {
            writer.WriteNumber("max_retries", maxRetries);
        }

        new MemberWriter(writer, omitsDefaults: true).Seconds("retry_delay", command.RetryDelay);
        if (omitsDefaults)
        {
            command.Unknown?.WriteTo(writer);
        }

        writer.WriteEndObject();
    }
}
