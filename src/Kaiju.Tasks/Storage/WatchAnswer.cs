using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>The state of a store's <see cref="StoreWatch"/>, at one moment of the store's clock.</summary>
/// <param name="Now">The moment.</param>
/// <param name="Since">The end of the last gap.</param>
/// <param name="FirstPing">The oldest ping of all executors; null if none is known.</param>
public readonly record struct WatchAnswer(DateTimeOffset Now, DateTimeOffset Since, DateTimeOffset? FirstPing)
{
    /// <summary>True if some executor was dead at that moment, and the store was there for it to ping.</summary>
    /// <param name="rules">The host's rules.</param>
    public bool IsExpulsionDue(LifecycleRules rules) =>
        FirstPing is { } ping && StoreWatch.ExpulsionFrom(ping, Since, rules) <= Now;
}
