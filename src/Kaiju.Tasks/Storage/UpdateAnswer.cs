namespace Kaiju.Tasks.Storage;

/// <summary>A store's answer to an update of a definition.</summary>
public readonly struct UpdateAnswer
{
    /// <summary>The result of the update.</summary>
    public required UpdateResult Result { get; init; }

    /// <summary>The reasons for a refusal, one sentence each; empty if the update was not refused.</summary>
    public IReadOnlyList<string> Faults { get => field ?? []; init; }
}
