using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A command that waits for a message
/// (<see cref="ITaskClient.SendMessageAsync(string, System.Text.Json.JsonElement, CancellationToken)"/>) without
/// holding a worker. The message is its result. If no message arrives within <see cref="TaskCommand.MaxTimeout"/>, the
/// run fails and is not retried.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record MessageCommand : TaskCommand
{
    /// <summary>The <see cref="TaskCommand.Method"/> of the command.</summary>
    public const string MethodName = "_MESSAGE_";

    /// <summary>Makes a command that waits for a message, without limit unless a timeout is set.</summary>
    public MessageCommand()
        : base(MethodName)
    {
    }
}
