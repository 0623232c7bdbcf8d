namespace Kaiju.Tasks.Storage;

/// <summary>A store's answer to the import of one task.</summary>
public readonly struct ImportAnswer
{
    /// <summary>The task's id.</summary>
    public required string TaskId { get; init; }

    /// <summary>
    /// <see cref="CreateResult.Created"/>, or <see cref="CreateResult.Refused"/> if the id is known.
    /// </summary>
    public required CreateResult Result { get; init; }

    /// <summary>The claim of an EXECUTED task. Default: null, for a task in another state.</summary>
    public Guid? Claim { get; init; }
}
