using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Serialization;

namespace Kaiju.Tasks;

/// <summary>A command that lets the task wait for a time without holding a worker; its result is null.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TimerCommand : TaskCommand
{
    /// <summary>The method that names it.</summary>
    public const string MethodName = "_TIMER_";

    /// <summary>Waits for a duration.</summary>
    /// <param name="duration">More than zero, at most <see cref="TaskLimits.MaxWait"/>.</param>
    public TimerCommand(TimeSpan duration)
        : base(MethodName, ParamsOf(writer => writer.WriteNumberValue(Normal(duration.Ticks / (decimal)TimeSpan.TicksPerSecond))))
    {
    }

    /// <summary>Waits for a duration that an earlier result or kws names.</summary>
    /// <param name="seconds">A template that gives a number of seconds, such as <c>[kws.delay:60]</c>.</param>
    public TimerCommand(string seconds)
        : base(MethodName, ParamsOf(writer => writer.WriteStringValue(seconds)))
    {
    }

    private static JsonElement ParamsOf(Action<Utf8JsonWriter> timer) => JsonWriting.Element(timer, static (writer, timer) =>
    {
        writer.WriteStartObject();
        writer.WritePropertyName("timer");
        timer(writer);
        writer.WriteEndObject();
    });

    // Without the zeros that a decimal division leaves behind the point.
    private static decimal Normal(decimal seconds) => seconds / 1.0000000000000000000000000000m;
}

/// <summary>Carries out <see cref="TimerCommand"/>.</summary>
internal sealed class TimerSpecialCommand : SpecialCommand
{
    public override string Method => TimerCommand.MethodName;

    public override IEnumerable<string> Check(TaskCommand command, TaskLimits limits)
    {
        var timer = Timer(command.ParamsJson);

        // A template gives its number later; the grammar is checked with all other templates.
        var isTemplate = timer.ValueKind == JsonValueKind.String && timer.GetString()!.StartsWith('[');
        if (!isTemplate && Fault(timer, limits, JsonText.Show) is { } fault)
        {
            yield return fault;
        }
    }

    public override ValueTask<StageOutcome> RunAsync(SpecialCommandContext context, CancellationToken cancellationToken)
    {
        var timer = Timer(context.Params);
        return ValueTask.FromResult(Fault(timer, context.Limits, JsonShape.Of) is { } fault
            ? StageOutcome.Failed(TaskError.Create(TaskErrorKind.Params, $"{TimerCommand.MethodName}: {fault}"))
            : StageOutcome.WaitFor(TimeSpan.FromSeconds(timer.GetDouble())));
    }

    private static JsonElement Timer(JsonElement parameters) =>
        parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("timer", out var timer) ? timer : default;

    // What is created is shown as it is; what is stored with the run, by its kind alone.
    private static string? Fault(JsonElement timer, TaskLimits limits, Func<JsonElement, string> show) =>
        timer.ValueKind == JsonValueKind.Number && timer.TryGetDouble(out var seconds) && seconds > 0 && seconds <= limits.MaxWait.TotalSeconds
            ? null
            : $"params.timer is {show(timer)}; it must be a number of seconds, more than 0 and at most {limits.MaxWait.TotalSeconds}.";
}
