namespace Kaiju.Tasks.Storage;

/// <summary>What became of one task that was to be imported.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="Result">
/// <see cref="CreateResult.Created"/>, or <see cref="CreateResult.Refused"/> where the id is known.
/// </param>
/// <param name="Claim">The claim of a task that is EXECUTED.</param>
public readonly record struct ImportAnswer(string TaskId, CreateResult Result, Guid? Claim);
