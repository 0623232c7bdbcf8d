using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// One row of a run's history. Results are unique by (run, pass, stage), failures by (run, pass, stage, attempt).
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class StageEntry
{
    /// <summary>The run.</summary>
    public required string JobId { get; init; }

    /// <summary>The pass within the run.</summary>
    public required int Pass { get; init; }

    /// <summary>The stage.</summary>
    public required int Stage { get; init; }

    /// <summary>Which go at the run it was, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>When the stage began, by the store's clock.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it was recorded, by the store's clock.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>The claim that recorded it; null for the end of a wait.</summary>
    public Guid? Claim { get; init; }

    /// <summary>The result; undefined if the stage failed.</summary>
    public JsonElement Result { get; init; }

    /// <summary>Why it failed; null if it did not.</summary>
    public TaskError? Error { get; init; }

    /// <summary>The entry as clients see it.</summary>
    internal StageEntry WithoutClaim() => new()
    {
        JobId = JobId,
        Pass = Pass,
        Stage = Stage,
        Attempt = Attempt,
        Started = Started,
        Finished = Finished,
        Result = Result,
        Error = Error,
    };
}
