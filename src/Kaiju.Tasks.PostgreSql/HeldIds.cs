namespace Kaiju.Tasks.PostgreSql;

/// <summary>Ids that another transaction is creating, and that creations of this process wait for.</summary>
internal sealed class HeldIds
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _waiters = new(StringComparer.Ordinal);
    private volatile bool _isEmpty = true;

    public bool Contains(string id)
    {
        if (_isEmpty)
        {
            return false;
        }

        lock (_lock)
        {
            return _waiters.ContainsKey(id);
        }
    }

    /// <summary>Registers a waiter until the returned object is disposed.</summary>
    public IDisposable Add(string id)
    {
        Count(id, 1);
        return new Waiter(this, id);
    }

    private void Count(string id, int step)
    {
        lock (_lock)
        {
            var count = _waiters.GetValueOrDefault(id) + step;
            if (count == 0)
            {
                _waiters.Remove(id);
            }
            else
            {
                _waiters[id] = count;
            }

            _isEmpty = _waiters.Count == 0;
        }
    }

    private sealed class Waiter(HeldIds ids, string id) : IDisposable
    {
        public void Dispose() => ids.Count(id, -1);
    }
}
