using System.Text.Json;

namespace Kaiju.Tasks.Serialization;

/// <summary>
/// A definition as stores keep it: the wire form without id and app, which have columns of their own, and without defaults. Read in one
/// pass, since it was checked when it was written; what it holds is what the wire form holds.
/// </summary>
internal static class StoredDefinition
{
    public static string Write(TaskDefinition task) => WireText.Write(task, static (writer, task) =>
    {
        writer.WriteStartObject();
        writer.WriteStartArray("commands");
        foreach (var command in task.Commands)
        {
            WriteCommand(writer, command);
        }

        writer.WriteEndArray();
        WriteJson(writer, "kws", JsonText.Size(task.KwsJson) > 2 ? task.KwsJson : default);
        if (!task.Enabled)
        {
            writer.WriteBoolean("enabled", false);
        }

        WriteText(writer, "cron", task.Cron);
        WriteText(writer, "cron_time_zone", task.CronTimeZone);
        WriteTime(writer, "run_at", task.RunAt);
        WriteNumber(writer, "priority", task.Priority);
        WriteSeconds(writer, "max_exec_timeout", task.MaxExecTimeout);
        WriteNumber(writer, "max_retries", task.MaxRetries);
        WriteSeconds(writer, "retry_delay", task.RetryDelay);
        WriteText(writer, "restart_policy", task.RestartPolicy == RestartPolicy.Current ? null : Words<RestartPolicy>.Of(task.RestartPolicy));
        WriteFlag(writer, "notify", task.Notify);
        WriteText(writer, "next_task", task.NextTask);
        WriteFlag(writer, "system", task.System);
        WriteText(writer, "description", task.Description);
        WriteJson(writer, "meta", task.MetaJson);
        WriteText(writer, "group", task.Group);
        WriteText(writer, "group_id", task.GroupId);
        WriteText(writer, "user_id", task.UserId);
        writer.WriteEndObject();
    });

    public static TaskDefinition Read(ReadOnlySpan<byte> utf8, string id, string appName)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = WireText.Depth });
        var task = new Members();
        Begin(ref reader);
        while (NextMember(ref reader))
        {
            ReadMember(ref reader, ref task);
        }

        return new TaskDefinition
        {
            Id = id,
            AppName = appName,
            Commands = task.Commands ?? [],
            KwsJson = task.Kws.ValueKind == JsonValueKind.Undefined ? JsonText.EmptyObject : task.Kws,
            Enabled = !task.IsDisabled,
            Cron = task.Cron,
            CronTimeZone = task.CronTimeZone,
            RunAt = task.RunAt,
            Priority = task.Priority,
            MaxExecTimeout = task.MaxExecTimeout,
            MaxRetries = task.MaxRetries,
            RetryDelay = task.RetryDelay,
            RestartPolicy = task.RestartPolicy,
            Notify = task.Notify,
            NextTask = task.NextTask,
            System = task.System,
            Description = task.Description,
            MetaJson = task.Meta,
            Group = task.Group,
            GroupId = task.GroupId,
            UserId = task.UserId,
        };
    }

    private static void ReadMember(ref Utf8JsonReader reader, ref Members task)
    {
        switch (NameOf(ref reader))
        {
            case "commands":
                task.Commands = ReadCommands(ref reader);
                break;
            case "kws":
                task.Kws = JsonElement.ParseValue(ref reader);
                break;
            case "enabled":
                task.IsDisabled = !reader.GetBoolean();
                break;
            case "cron":
                task.Cron = reader.GetString();
                break;
            case "cron_time_zone":
                task.CronTimeZone = reader.GetString();
                break;
            case "run_at":
                task.RunAt = UnixTime.FromSeconds(reader.GetDecimal());
                break;
            case "priority":
                task.Priority = reader.GetInt32();
                break;
            case "max_exec_timeout":
                task.MaxExecTimeout = Seconds(ref reader);
                break;
            case "max_retries":
                task.MaxRetries = reader.GetInt32();
                break;
            case "retry_delay":
                task.RetryDelay = Seconds(ref reader);
                break;
            case "restart_policy":
                task.RestartPolicy = Words<RestartPolicy>.TryRead(reader.GetString()!, out var policy) ? policy : throw Unknown();
                break;
            case "notify":
                task.Notify = reader.GetBoolean();
                break;
            case "next_task":
                task.NextTask = reader.GetString();
                break;
            case "system":
                task.System = reader.GetBoolean();
                break;
            case "description":
                task.Description = reader.GetString();
                break;
            case "meta":
                task.Meta = JsonElement.ParseValue(ref reader);
                break;
            case "group":
                task.Group = reader.GetString();
                break;
            case "group_id":
                task.GroupId = reader.GetString();
                break;
            case "user_id":
                task.UserId = reader.GetString();
                break;
            default:
                throw Unknown();
        }
    }

    private static TaskCommand[] ReadCommands(ref Utf8JsonReader reader)
    {
        var commands = new List<TaskCommand>(1);
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Unknown();
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var (method, parameters, timeout, condition) = ("", default(JsonElement), default(TimeSpan?), default(TaskCondition));
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw Unknown();
            }

            while (NextMember(ref reader))
            {
                switch (NameOf(ref reader))
                {
                    case "method":
                        method = reader.GetString()!;
                        break;
                    case "params":
                        parameters = JsonElement.ParseValue(ref reader);
                        break;
                    case "max_timeout":
                        timeout = Seconds(ref reader);
                        break;
                    case "condition":
                        condition = TaskCondition.FromJson(JsonElement.ParseValue(ref reader));
                        break;
                    default:
                        throw Unknown();
                }
            }

            commands.Add(new TaskCommand(method, parameters) { MaxTimeout = timeout, Condition = condition });
        }

        return [.. commands];
    }

    private static void Begin(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw Unknown();
        }
    }

    private static bool NextMember(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    private static string NameOf(ref Utf8JsonReader reader)
    {
        var name = reader.GetString()!;
        reader.Read();
        return name;
    }

    private static TimeSpan Seconds(ref Utf8JsonReader reader) => TimeSpan.FromTicks((long)(reader.GetDecimal() * TimeSpan.TicksPerSecond));

    private static JsonException Unknown() => new("This is no definition as a store keeps it.");

    private static void WriteCommand(Utf8JsonWriter writer, TaskCommand command)
    {
        writer.WriteStartObject();
        writer.WriteString("method", command.Method);
        WriteJson(writer, "params", command.ParamsJson);
        WriteSeconds(writer, "max_timeout", command.MaxTimeout);
        WriteJson(writer, "condition", command.Condition?.Json ?? default);
        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null)
        {
            writer.WriteString(name, text);
        }
    }

    private static void WriteFlag(Utf8JsonWriter writer, string name, bool flag)
    {
        if (flag)
        {
            writer.WriteBoolean(name, true);
        }
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, int number)
    {
        if (number != 0)
        {
            writer.WriteNumber(name, number);
        }
    }

    private static void WriteJson(Utf8JsonWriter writer, string name, JsonElement json)
    {
        if (!JsonText.IsNothing(json))
        {
            WireText.WriteRaw(writer, name, json);
        }
    }

    private static void WriteTime(Utf8JsonWriter writer, string name, DateTimeOffset? time)
    {
        if (time is not null)
        {
            UnixTime.Write(writer, name, time);
        }
    }

    private static void WriteSeconds(Utf8JsonWriter writer, string name, TimeSpan? duration)
    {
        if (duration is not null)
        {
            UnixTime.Write(writer, name, duration);
        }
    }

    private struct Members
    {
        public TaskCommand[]? Commands;
        public JsonElement Kws;
        public JsonElement Meta;
        public bool IsDisabled;
        public bool Notify;
        public bool System;
        public string? Cron;
        public string? CronTimeZone;
        public string? NextTask;
        public string? Description;
        public string? Group;
        public string? GroupId;
        public string? UserId;
        public DateTimeOffset? RunAt;
        public TimeSpan? MaxExecTimeout;
        public TimeSpan? RetryDelay;
        public int Priority;
        public int MaxRetries;
        public RestartPolicy RestartPolicy;
    }
}
