namespace Kaiju.Tasks.Storage;

/// <summary>Those who asked a store for hints. Any thread may add, remove and tell.</summary>
internal sealed class HintListeners
{
    private Action<StoreHint>? _listeners;

    public IDisposable Add(Action<StoreHint> listener)
    {
        Change(listeners => listeners + listener);
        return new Listening(this, listener);
    }

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
