using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>The state of a store's <see cref="StoreWatch"/>, at one moment of the store's clock.</summary>
/// <param name="now">The moment.</param>
/// <param name="since">The end of the last gap.</param>
/// <param name="firstPing">The oldest ping of all executors; null if none is known.</param>
public readonly struct WatchAnswer(DateTimeOffset now, DateTimeOffset since, DateTimeOffset? firstPing)
{
    /// <summary>The moment.</summary>
    public DateTimeOffset Now { get; } = now;

    /// <summary>The end of the last gap.</summary>
    public DateTimeOffset Since { get; } = since;

    /// <summary>The oldest ping of all executors; null if none is known.</summary>
    public DateTimeOffset? FirstPing { get; } = firstPing;

    /// <summary>True if some executor was dead at that moment, and the store was there for it to ping.</summary>
    /// <param name="rules">The host's rules.</param>
    public bool IsExpulsionDue(LifecycleRules rules) =>
        FirstPing is { } ping && StoreWatch.ExpulsionFrom(ping, Since, rules) <= Now;
}
