namespace Kaiju.Tasks.Storage;

/// <summary>A claim that, as far as its executor knows, is still held.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Claim">The claim.</param>
public readonly record struct HeldClaim(string TaskId, Guid Claim);
