namespace Kaiju.Tasks.Storage;

/// <summary>A claim that an executor believes to hold.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Claim">The claim.</param>
public readonly record struct HeldClaim(string TaskId, Guid Claim);
