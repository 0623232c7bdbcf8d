using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>The state of a store's <see cref="StoreWatch"/>, at one time of the store's clock.</summary>
/// <param name="now">The time, by the store's clock.</param>
/// <param name="since">The end of the last gap.</param>
/// <param name="firstPing">The oldest ping of all executors; null if none is known.</param>
public readonly struct WatchAnswer(DateTimeOffset now, DateTimeOffset since, DateTimeOffset? firstPing)
{
    /// <summary>The time, by the store's clock.</summary>
    public DateTimeOffset Now { get; } = now;

    /// <summary>The end of the last gap.</summary>
    public DateTimeOffset Since { get; } = since;

    /// <summary>The oldest ping of all executors; null if none is known.</summary>
    public DateTimeOffset? FirstPing { get; } = firstPing;

    /// <summary>True if an executor was dead at that time although it could have reached the store.</summary>
    /// <param name="rules">The host's rules.</param>
    public bool IsExpulsionDue(LifecycleRules rules) =>
        FirstPing is { } ping && StoreWatch.ExpulsionFrom(ping, Since, rules) <= Now;
}
