namespace Kaiju.Tasks.Storage;

/// <summary>Work that no host seems to do, at one moment of the store's clock.</summary>
public sealed class UnattendedWork
{
    /// <summary>The moment.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>
    /// The last sign of a manager (<see cref="IManagerDuties.WatchAsync"/>); null: there has been none.
    /// </summary>
    public DateTimeOffset? LastWatch { get; init; }

    /// <summary>True if a manager has had something to do for as long as was asked about.</summary>
    public required bool HasDuty { get; init; }

    /// <summary>
    /// Apps whose next task to claim has been queued for as long as was asked about while none of their tasks runs, at
    /// most 100.
    /// </summary>
    public required IReadOnlyList<string> Apps { get; init; }

    /// <summary>The most apps of one answer.</summary>
    public const int MostApps = 100;
}
