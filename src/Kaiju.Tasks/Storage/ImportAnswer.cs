namespace Kaiju.Tasks.Storage;

/// <summary>What became of one task that was to be imported.</summary>
public readonly struct ImportAnswer
{
    /// <summary>Its id.</summary>
    public required string TaskId { get; init; }

    /// <summary>
    /// <see cref="CreateResult.Created"/>, or <see cref="CreateResult.Refused"/> where the id is known.
    /// </summary>
    public required CreateResult Result { get; init; }

    /// <summary>The claim of a task that is EXECUTED.</summary>
    public Guid? Claim { get; init; }
}
