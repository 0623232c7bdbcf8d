using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// One entry of a run's history: the result of a stage, or one of its failures. A stage has one result in each pass,
/// and one failure at most in each attempt.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class StageEntry
{
    private Guid? _claim;
    private int _pass;

    /// <summary>The run's id.</summary>
    public required string JobId { get; init; }

    /// <summary>The pass within the run, from 0.</summary>
    public required int Pass
    {
        get => _pass;
        init => _pass = value;
    }

    /// <summary>The stage, from 0.</summary>
    public required int Stage { get; init; }

    /// <summary>The attempt at the run, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>The time at which the stage began, by the store's clock.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>The time at which the entry was recorded, by the store's clock.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>The claim that recorded the entry; null for the end of a wait, and where clients read it.</summary>
    public Guid? Claim
    {
        get => _claim;
        init => _claim = value;
    }

    /// <summary>The stage's result; undefined if the stage failed.</summary>
    public JsonElement Result { get; init; }

    /// <summary>The stage's error; null if the stage completed.</summary>
    public TaskError? Error { get; init; }

    /// <summary>The entry of a result that has moved to another pass.</summary>
    internal StageEntry InPass(int pass)
    {
        var copy = (StageEntry)MemberwiseClone();
        copy._pass = pass;
        return copy;
    }

    /// <summary>The entry as clients see it.</summary>
    internal StageEntry WithoutClaim()
    {
        var copy = (StageEntry)MemberwiseClone();
        copy._claim = null;
        return copy;
    }
}
