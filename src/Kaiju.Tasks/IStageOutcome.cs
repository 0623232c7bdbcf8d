using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks;

/// <summary>A <see cref="StageOutcome{T}"/> without its type, so that no generic code is made at run time.</summary>
internal interface IStageOutcome
{
    /// <summary>The outcome; null for a stage that completed with a result.</summary>
    StageOutcome? Outcome { get; }

    /// <summary>Writes the result by the contract of its type.</summary>
    /// <exception cref="Json.UnwritableException">The result cannot be written.</exception>
    JsonElement WriteResult(JsonTypeInfo typeInfo);
}
