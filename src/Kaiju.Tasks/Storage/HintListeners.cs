namespace Kaiju.Tasks.Storage;

/// <summary>Those who asked a store for hints (<see cref="ITaskStore.Listen"/>), for stores to keep. Any thread may add, remove and tell.</summary>
public sealed class HintListeners
{
    private Action<StoreHint>? _listeners;

    /// <summary>Adds a listener.</summary>
    /// <param name="listener">Called on any thread; returns at once and throws nothing.</param>
    /// <returns>Removes it.</returns>
    public IDisposable Add(Action<StoreHint> listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        Change(listeners => listeners + listener);
        return new Listening(this, listener);
    }

    /// <summary>Tells all listeners. Not while a lock is held that they might want.</summary>
    /// <param name="hint">What; nothing is told where it is about nothing.</param>
    public void Tell(StoreHint hint)
    {
        if (hint.Kinds != StoreHintKinds.None)
        {
            Volatile.Read(ref _listeners)?.Invoke(hint);
        }
    }

    private void Change(Func<Action<StoreHint>?, Action<StoreHint>?> change)
    {
        Action<StoreHint>? seen;
        do
        {
            seen = Volatile.Read(ref _listeners);
        }
        while (Interlocked.CompareExchange(ref _listeners, change(seen), seen) != seen);
    }

    private sealed class Listening(HintListeners owner, Action<StoreHint> listener) : IDisposable
    {
        public void Dispose() => owner.Change(listeners => listeners - listener);
    }
}
