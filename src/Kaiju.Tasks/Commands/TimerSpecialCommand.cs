using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>Runs <see cref="TimerCommand"/>.</summary>
internal sealed class TimerSpecialCommand : SpecialCommand
{
    public override string Method => TimerCommand.MethodName;

    public override IEnumerable<string> Check(TaskCommand command, TaskLimits limits)
    {
        var timer = Timer(command.ParamsJson);

        // The number of a template is known later; its grammar is checked with all other templates.
        var isTemplate = timer.ValueKind == JsonValueKind.String && timer.GetString()!.StartsWith('[');
        if (!isTemplate && FindFault(timer, limits, JsonText.Show) is { } fault)
        {
            yield return fault;
        }
    }

    public override ValueTask<StageOutcome> RunAsync(SpecialCommandContext context, CancellationToken cancellationToken)
    {
        var timer = Timer(context.Params);
        return ValueTask.FromResult(FindFault(timer, context.Limits, JsonShape.Of) is { } fault
            ? StageOutcome.Failed(TaskError.Create(TaskErrorKind.Params, $"{TimerCommand.MethodName}: {fault}"))
            : StageOutcome.WaitFor(TimeSpan.FromSeconds(timer.GetDouble())));
    }

    private static JsonElement Timer(JsonElement parameters) =>
        parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("timer", out var timer)
            ? timer
            : default;

    // At creation the caller's value is shown; the stored error of a run shows only its kind.
    private static string? FindFault(JsonElement timer, TaskLimits limits, Func<JsonElement, string> show) =>
        timer.ValueKind == JsonValueKind.Number && timer.TryGetDouble(out var seconds) && seconds > 0
            && seconds <= limits.MaxWait.TotalSeconds
            ? null
            : $"params.timer is {show(timer)}; it must be a number of seconds, more than 0 and at most "
                + $"{limits.MaxWait.TotalSeconds}.";
}
