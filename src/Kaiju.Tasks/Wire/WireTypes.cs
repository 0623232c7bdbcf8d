using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Wire;

/// <summary>The types that have a wire form of their own, with their writers and readers.</summary>
internal static class WireTypes
{
    private static readonly FrozenDictionary<Type, JsonConverter> _converters = new JsonConverter[]
    {
        new WireConverter<TaskDefinition>(DefinitionJson.Write, DefinitionJson.Read),
        new WireConverter<TaskCommand>(
            static (writer, command) => DefinitionJson.WriteCommand(writer, Written(command)), ReadCommand),
        new WireConverter<TimerCommand>(DefinitionJson.WriteCommand, static (json, faults) =>
            ReadCommand(json, TimerCommand.MethodName, faults) is { Method: TimerCommand.MethodName } read
                ? new TimerCommand(TimeSpan.Zero)
                {
                    ParamsJson = read.ParamsJson,
                    MaxTimeout = read.MaxTimeout,
                    MaxRetries = read.MaxRetries,
                    RetryDelay = read.RetryDelay,
                    Condition = read.Condition,
                }
                : new TimerCommand(TimeSpan.Zero)),
        new WireConverter<MessageCommand>(DefinitionJson.WriteCommand, static (json, faults) =>
            ReadCommand(json, MessageCommand.MethodName, faults) is { Method: MessageCommand.MethodName } read
                ? new MessageCommand
                {
                    ParamsJson = read.ParamsJson,
                    MaxTimeout = read.MaxTimeout,
                    MaxRetries = read.MaxRetries,
                    RetryDelay = read.RetryDelay,
                    Condition = read.Condition,
                }
                : new MessageCommand()),
        new WireConverter<TaskCondition>(
            static (writer, condition) => WireText.WriteRaw(writer, condition.Json),
            static (json, _) => TaskCondition.FromJson(json)),
        new WireConverter<TaskError>(
            static (writer, error) => WireText.WriteRaw(writer, error.Json),
            static (json, _) => TaskError.FromJson(json)),
        new WireConverter<TaskRecord>(RecordJson.WriteTask, static (json, _) => RecordJson.ReadTask(json)),
        new WireConverter<ManagedState>(RecordJson.WriteState, RecordJson.ReadState),
        new WireConverter<TaskRun>(RunJson.Write, RunJson.Read),
        new WireConverter<StageEntry>(RunJson.WriteEntry, RunJson.ReadEntry),
        new WireConverter<TaskNotification>(NotificationJson.Write, static (json, _) => NotificationJson.Read(json)),
        new WireConverter<ExecutorTask>(ExecutorTaskJson.Write, static (json, _) => ExecutorTaskJson.Read(json)),
        new WireConverter<TaskPage>(PageJson.Write, PageJson.Read),
        new WireConverter<NotificationPage>(PageJson.Write, PageJson.ReadNotifications),
        new WireConverter<BulkResult>(BulkJson.Write, BulkJson.Read),
        new WireConverter<TaskPause>(PauseJson.Write, PauseJson.Read),
        new TextConverter<TaskCursor>(),
        new TextConverter<NotificationCursor>(),
        new WireConverter<TaskQuery>(PageJson.Write, PageJson.ReadQuery),
        new WireConverter<NotificationQuery>(PageJson.Write, PageJson.ReadNotificationQuery),
        new TaskTemplateConverter(),
        new WordConverter<TaskState>(),
        new WordConverter<WaitKind>(),
        new WordConverter<TaskHold>(),
        new WordConverter<ChainResult>(),
        new WordConverter<RestartPolicy>(),
        new WordConverter<MissedRuns>(),
        new WordConverter<OnConflict>(),
        new WordConverter<CreateResult>(),
        new WordConverter<RetryResult>(),
    }.ToFrozenDictionary(converter => converter.Type!);

    public static JsonConverter? Find(Type type) => _converters.GetValueOrDefault(type);

    private static TaskCommand Written(TaskCommand command)
    {
        try
        {
            return command.Written(WireText.DefaultOptions);
        }
        catch (UnwritableException e)
        {
            throw e.ForCaller();
        }
    }

    private static TaskCommand ReadCommand(JsonElement json, List<string> faults) =>
        DefinitionJson.ReadCommand(json, "command", faults);

    private static TaskCommand ReadCommand(JsonElement json, string method, List<string> faults)
    {
        var command = ReadCommand(json, faults);
        if (faults.Count == 0 && command.Method != method)
        {
            faults.Add($"command.method is {JsonText.Quote(command.Method)}; it must be \"{method}\".");
        }

        return command;
    }
}
