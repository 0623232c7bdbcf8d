using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts;

/// <summary>An empty store for one test, with its queue and its clock.</summary>
/// <param name="Store">The store.</param>
/// <param name="Queue">The store's own queue, from which QUEUED tasks are claimed.</param>
/// <param name="Advance">The function that moves the store's clock forward and returns the new time.</param>
/// <param name="Owner">The object to dispose of after the test; null for none.</param>
public sealed record OpenedStore(
    ITaskStore Store,
    ITaskQueue Queue,
    Func<TimeSpan, ValueTask<DateTimeOffset>> Advance,
    IAsyncDisposable? Owner = null)
    : IAsyncDisposable
{
    /// <summary>
    /// The function that moves the store's clock back by a time and returns the new time. Default: null, for a clock
    /// that only moves forward.
    /// </summary>
    public Func<TimeSpan, ValueTask<DateTimeOffset>>? PutBack { get; init; }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Owner?.DisposeAsync() ?? default;
}

/// <summary>Opens an empty store with a clock that is stopped at a time and moves only on request.</summary>
/// <param name="rules">The host's rules.</param>
/// <param name="start">The time of the clock.</param>
public delegate ValueTask<OpenedStore> OpenStore(LifecycleRules rules, DateTimeOffset start);
