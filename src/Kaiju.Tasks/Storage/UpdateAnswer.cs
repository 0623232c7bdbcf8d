namespace Kaiju.Tasks.Storage;

/// <summary>A store's answer to an update of a definition.</summary>
public readonly struct UpdateAnswer
{
    /// <summary>Whether the definition was updated.</summary>
    public required UpdateResult Result { get; init; }

    /// <summary>Why the update was refused, one sentence each; empty unless it was.</summary>
    public IReadOnlyList<string> Faults { get => field ?? []; init; }
}
