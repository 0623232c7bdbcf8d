using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

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
        : base(
            MethodName,
            ParamsOf(writer => writer.WriteNumberValue(Normal(duration.Ticks / (decimal)TimeSpan.TicksPerSecond))))
    {
    }

    /// <summary>Waits for a duration that an earlier result or kws names.</summary>
    /// <param name="seconds">A template that gives a number of seconds, such as <c>[kws.delay:60]</c>.</param>
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

    // Without the zeros that a decimal division leaves behind the point.
    private static decimal Normal(decimal seconds) => seconds / 1.0000000000000000000000000000m;
}
