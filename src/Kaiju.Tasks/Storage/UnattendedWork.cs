namespace Kaiju.Tasks.Storage;

/// <summary>Work that no host seems to do, at one moment of the store's clock.</summary>
/// <param name="Now">The moment.</param>
/// <param name="LastWatch">
/// The last sign of a manager (<see cref="IManagerDuties.WatchAsync"/>); null: there has been none.
/// </param>
/// <param name="HasDuty">True if a manager has had something to do for as long as was asked about.</param>
/// <param name="Apps">
/// Apps whose next task to claim has been queued for as long as was asked about while none of their tasks runs, at most
/// 100.
/// </param>
public sealed record UnattendedWork(
    DateTimeOffset Now, DateTimeOffset? LastWatch, bool HasDuty, IReadOnlyList<string> Apps)
{
    /// <summary>The most apps of one answer.</summary>
    public const int MostApps = 100;
}
