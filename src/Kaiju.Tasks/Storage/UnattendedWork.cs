namespace Kaiju.Tasks.Storage;

/// <summary>Work that no host seems to do, at one time of the store's clock.</summary>
public sealed class UnattendedWork
{
    /// <summary>The time, by the store's clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>
    /// The last watch of a manager (<see cref="IManagerDuties.WatchAsync"/>). Default: null, for none.
    /// </summary>
    public DateTimeOffset? LastWatch { get; init; }

    /// <summary>True if a manager's duty has been due for at least the given time.</summary>
    public required bool HasDuty { get; init; }

    /// <summary>
    /// The apps whose next task has been QUEUED for at least the given time while none of their tasks runs, at most
    /// <see cref="MostApps"/>.
    /// </summary>
    public required IReadOnlyList<string> Apps { get; init; }

    /// <summary>The most apps of one answer, 100.</summary>
    public const int MostApps = 100;
}
