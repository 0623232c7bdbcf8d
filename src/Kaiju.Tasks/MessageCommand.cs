using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A command that lets the task wait for a message
/// (<see cref="ITaskClient.SendMessageAsync(string, System.Text.Json.JsonElement, CancellationToken)"/>) without
/// holding a worker; the message is its result. With a <see cref="TaskCommand.MaxTimeout"/> the run fails for good if
/// none comes in time.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record MessageCommand : TaskCommand
{
    /// <summary>The method that names it.</summary>
    public const string MethodName = "_MESSAGE_";

    /// <summary>Waits for a message.</summary>
    public MessageCommand()
        : base(MethodName)
    {
    }
}
