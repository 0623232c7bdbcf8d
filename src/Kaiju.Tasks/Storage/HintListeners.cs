namespace Kaiju.Tasks.Storage;

/// <summary>
/// The listeners that asked a store for hints (<see cref="ITaskHints.Listen"/>), for stores to keep. Any thread may
/// add, remove and publish.
/// </summary>
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
    /// <param name="failed">
    /// Called with the exception of a listener, on the thread that publishes. What it throws itself is ignored.
    /// </param>
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
    /// Gives a hint to all listeners, and throws nothing: the step behind the hint has happened, whatever a listener
    /// makes of it. Not to be called under a lock that they might want.
    /// </summary>
    /// <param name="hint">The hint; one about nothing is not published.</param>
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
            // The report of the failure has failed too: there is nowhere else to report it.
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
