using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>A command that waits for a time without holding a worker. Its result is null.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TimerCommand : TaskCommand
{
    /// <summary>The <see cref="TaskCommand.Method"/> of the command.</summary>
    public const string MethodName = "_TIMER_";

    /// <summary>Makes a command that waits for a duration.</summary>
    /// <param name="duration">The duration: more than zero, at most <see cref="TaskLimits.MaxWait"/>.</param>
    public TimerCommand(TimeSpan duration)
        : base(
            MethodName,
            ParamsOf(writer => writer.WriteNumberValue(Normal(duration.Ticks / (decimal)TimeSpan.TicksPerSecond))))
    {
    }

    /// <summary>Makes a command that waits for a duration from an earlier result or the kws.</summary>
    /// <param name="seconds">A template that gives the duration in seconds, such as <c>[kws.delay:60]</c>.</param>
    public TimerCommand(string seconds)
        : base(MethodName, ParamsOf(writer => writer.WriteStringValue(seconds)))
    {
    }

    private static JsonElement ParamsOf(Action<Utf8JsonWriter> timer) =>
        JsonWriting.Element(timer, static (writer, timer) =>
    {
        writer.WriteStartObject();
        writer.WritePropertyName("timer");
        timer(writer);
        writer.WriteEndObject();
    });

    // Removes the trailing zeros that the decimal division leaves.
    private static decimal Normal(decimal seconds) => seconds / 1.0000000000000000000000000000m;
}
