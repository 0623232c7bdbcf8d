using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Serialization;

namespace Kaiju.Tasks;

/// <summary>
/// A command that lets the task wait for a message (<see cref="ITaskClient.SendMessageAsync(string, System.Text.Json.JsonElement, CancellationToken)"/>)
/// without holding a worker; the message is its result. With a <see cref="TaskCommand.MaxTimeout"/> the run fails for good if none comes in time.
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

/// <summary>Carries out <see cref="MessageCommand"/>.</summary>
internal sealed class MessageSpecialCommand : SpecialCommand
{
    public override string Method => MessageCommand.MethodName;

    public override TimeSpan LongestTimeout(TaskLimits limits) => limits.MaxWait;

    public override IEnumerable<string> Check(TaskCommand command, TaskLimits limits)
    {
        var given = command.ParamsJson;
        if (!JsonText.IsNothing(given) && !(given.ValueKind == JsonValueKind.Object && !given.EnumerateObject().Any()))
        {
            yield return $"params is {JsonText.Show(given)}; it must be left out, since a wait for a message has none.";
        }
    }

    public override ValueTask<StageOutcome> RunAsync(SpecialCommandContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult(StageOutcome.WaitForMessage(context.MaxTimeout));
}
