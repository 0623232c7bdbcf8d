using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts;

/// <summary>An empty store for one test, with its queue and its clock.</summary>
/// <param name="Store">The store.</param>
/// <param name="Queue">The store's own queue: what is QUEUED is what there is to claim.</param>
/// <param name="Advance">Moves the store's clock on and says what time it is then.</param>
/// <param name="Owner">Disposed of after the test; null if nothing needs to be.</param>
public sealed record OpenedStore(
    ITaskStore Store,
    ITaskQueue Queue,
    Func<TimeSpan, ValueTask<DateTimeOffset>> Advance,
    IAsyncDisposable? Owner = null)
    : IAsyncDisposable
{
    /// <summary>
    /// Puts the store's clock back by a time and says what time it is then. Null: the clock only moves on.
    /// </summary>
    public Func<TimeSpan, ValueTask<DateTimeOffset>>? PutBack { get; init; }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Owner?.DisposeAsync() ?? default;
}

/// <summary>Opens an empty store whose clock stands at a time and moves only when it is told to.</summary>
/// <param name="rules">The host's rules.</param>
/// <param name="start">The time.</param>
public delegate ValueTask<OpenedStore> OpenStore(LifecycleRules rules, DateTimeOffset start);
