namespace Kaiju.Tasks.Storage;

/// <summary>Those who asked a store for hints (<see cref="ITaskHints.Listen"/>), for stores to keep. Any thread may add, remove and tell.</summary>
public sealed class HintListeners
{
    private readonly Lock _changing = new();
    private readonly Action<Exception>? _failed;
    private volatile Listening[] _listeners = [];

    /// <summary>No listeners yet; what one of them throws is ignored.</summary>
    public HintListeners()
    {
    }

    /// <summary>No listeners yet.</summary>
    /// <param name="failed">Called with what a listener has thrown, on the thread that tells. What it throws itself is ignored.</param>
    public HintListeners(Action<Exception> failed)
    {
        ArgumentNullException.ThrowIfNull(failed);
        _failed = failed;
    }

    /// <summary>Adds a listener.</summary>
    /// <param name="listener">Called on any thread; returns at once and throws nothing.</param>
    /// <returns>Removes it.</returns>
    public IDisposable Add(Action<StoreHint> listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        var listening = new Listening(this, listener);
        lock (_changing)
        {
            _listeners = [.. _listeners, listening];
        }

        return listening;
    }

    /// <summary>
    /// Tells all listeners, and throws nothing: the step that is told of has happened, whatever a listener makes of it. Not while a lock is
    /// held that they might want.
    /// </summary>
    /// <param name="hint">What; nothing is told where it is about nothing.</param>
    public void Tell(StoreHint hint)
    {
        if (hint.Kinds == StoreHintKinds.None)
        {
            return;
        }

        foreach (var listening in _listeners)
        {
            try
            {
                listening.Listener(hint);
            }
            catch (Exception e)
            {
                Say(e);
            }
        }
    }

    private void Say(Exception e)
    {
        try
        {
            _failed?.Invoke(e);
        }
        catch (Exception)
        {
            // Saying that something failed has failed: there is nowhere else to say it.
        }
    }

    private void Remove(Listening listening)
    {
        lock (_changing)
        {
            _listeners = [.. _listeners.Where(other => other != listening)];
        }
    }

    private sealed class Listening(HintListeners owner, Action<StoreHint> listener) : IDisposable
    {
        public Action<StoreHint> Listener => listener;

        public void Dispose() => owner.Remove(this);
    }
}
