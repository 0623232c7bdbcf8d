using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// The result of a handler, or another outcome of its stage, such as <see cref="StageOutcome.Snooze"/>. Both convert
/// implicitly to this type.
/// </summary>
/// <typeparam name="T">The type of the result.</typeparam>
[SuppressMessage("Usage", "CA2225", Justification = "StageOutcome.Completed is the method, a generic type has none.")]
public readonly record struct StageOutcome<T> : IStageOutcome
{
    internal StageOutcome(T? result) => Result = result;

    private StageOutcome(StageOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        Outcome = outcome;
    }

    /// <summary>The result; the default value if the stage has another outcome.</summary>
    public T? Result { get; }

    /// <summary>The other outcome; null if the stage completed with <see cref="Result"/>.</summary>
    public StageOutcome? Outcome { get; }

    /// <summary>The stage completed with a result.</summary>
    /// <param name="result">The result.</param>
    public static implicit operator StageOutcome<T>(T? result) => new(result);

    /// <summary>The stage has another outcome.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <exception cref="ArgumentNullException">The outcome is null.</exception>
    public static implicit operator StageOutcome<T>(StageOutcome outcome) => new(outcome);

    /// <summary>The kind of the outcome, such as <c>Completed</c>, without its result.</summary>
    public override string ToString() => Outcome?.ToString() ?? nameof(StageOutcome.Completed);

    JsonElement IStageOutcome.WriteResult(JsonTypeInfo typeInfo) =>
        ResultJson.Write(Result!, (JsonTypeInfo<T>)typeInfo);
}
