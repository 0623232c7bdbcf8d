namespace Kaiju.Tasks.Storage;

/// <summary>
/// The listeners of a store's hints (<see cref="ITaskHints.Listen"/>); a helper for stores. It may be used from any
/// thread.
/// </summary>
public sealed class HintListeners
{
    private readonly Lock _changing = new();
    private readonly Action<Exception>? _failed;
    private volatile Listening[] _listeners = [];

    /// <summary>Creates an empty list; exceptions of listeners are ignored.</summary>
    public HintListeners()
    {
    }

    /// <summary>Creates an empty list.</summary>
    /// <param name="failed">
    /// The function that gets the exception of a listener, on the thread that publishes. An exception of its own is
    /// ignored.
    /// </param>
    public HintListeners(Action<Exception> failed)
    {
        ArgumentNullException.ThrowIfNull(failed);
        _failed = failed;
    }

    /// <summary>Adds a listener.</summary>
    /// <param name="listener">The listener; called on any thread. It must return at once and must not throw.</param>
    /// <returns>An object that removes the listener when it is disposed.</returns>
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
    /// Gives a hint to all listeners. It never throws: the step of the hint has happened, even if a listener fails. Do
    /// not call it under a lock that listeners may need.
    /// </summary>
    /// <param name="hint">The hint; one of the kind <see cref="StoreHintKinds.None"/> is not published.</param>
    public void Publish(StoreHint hint)
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
                ReportFailure(e);
            }
        }
    }

    private void ReportFailure(Exception e)
    {
        try
        {
            _failed?.Invoke(e);
        }
        catch (Exception)
        {
            // The report of the failure has failed too; there is no other place to report it.
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
