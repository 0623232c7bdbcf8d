namespace Kaiju.Tasks.Storage;

/// <summary>
/// The handling of the tasks of a creation whose ids are known, and the version of their definitions.
/// </summary>
/// <param name="onConflict">The action for an id that is already known.</param>
/// <param name="version">The version of the definitions (<see cref="CreateOptions.Version"/>). Default: null.</param>
public readonly struct ConflictRule(OnConflict onConflict, long? version = null)
{
    /// <summary>The action for an id that is already known.</summary>
    public OnConflict OnConflict { get; } = onConflict;

    /// <summary>The version of the definitions (<see cref="CreateOptions.Version"/>); null for none.</summary>
    public long? Version { get; } = version;

    /// <summary>A rule without a version.</summary>
    /// <param name="onConflict">The action for an id that is already known.</param>
    public static implicit operator ConflictRule(OnConflict onConflict) => new(onConflict);
}
