using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>Runs <see cref="MessageCommand"/>.</summary>
internal sealed class MessageSpecialCommand : SpecialCommand
{
    public override string Method => MessageCommand.MethodName;

    public override TimeSpan LongestTimeout(TaskLimits limits) => limits.MaxWait;

    public override IEnumerable<string> Check(TaskCommand command, TaskLimits limits)
    {
        var given = command.ParamsJson;
        if (!JsonText.IsNothing(given) && !(given.ValueKind == JsonValueKind.Object && !given.EnumerateObject().Any()))
        {
            yield return $"params is {JsonText.Show(given)}; it must be left out: a wait for a message has no params.";
        }
    }

    public override ValueTask<StageOutcome> RunAsync(
        SpecialCommandContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult(StageOutcome.WaitForMessage(context.MaxTimeout));
}
