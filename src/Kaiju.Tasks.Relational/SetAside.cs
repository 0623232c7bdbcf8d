namespace Kaiju.Tasks.Relational;

/// <summary>
/// Tasks that this process leaves alone for a while in one kind of work, because it could not read, decide or write
/// them. The pause is one minute and doubles at each failure, up to five minutes. The tasks' rows do not change, since
/// a process of another version may be able to process them. See docs/decisions/0010.
/// </summary>
internal sealed class SetAside(TimeProvider clock)
{
    /// <summary>The most tasks that are set aside at once.</summary>
    public const int Most = 10_000;

    private static readonly TimeSpan _first = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Work, long TaskNo), Entry> _entries = [];
    private volatile bool _isEmpty = true;

    /// <summary>The tasks that are set aside now in one of these kinds of work.</summary>
    public long[] In(params ReadOnlySpan<string> works)
    {
        if (_isEmpty)
        {
            return [];
        }

        lock (_lock)
        {
            Forget();
            var tasks = new List<long>();
            foreach (var ((work, taskNo), entry) in _entries)
            {
                if (works.Contains(work) && IsAside(entry))
                {
                    tasks.Add(taskNo);
                }
            }

            return [.. tasks];
        }
    }

    /// <summary>Sets a task aside from now on.</summary>
    /// <returns>The length of the pause; zero if the limit of tasks that are set aside is reached.</returns>
    public TimeSpan Add(string work, long taskNo)
    {
        lock (_lock)
        {
            Forget();
            var isKnown = _entries.TryGetValue((work, taskNo), out var before);
            if (!isKnown && _entries.Count >= Most)
            {
                return TimeSpan.Zero;
            }

            if (isKnown && IsAside(before))
            {
                return before.Pause;
            }

            var pause = !isKnown ? _first : before.Pause * 2 < _longest ? before.Pause * 2 : _longest;
            _entries[(work, taskNo)] = new Entry(clock.GetTimestamp(), pause);
            _isEmpty = false;
            return pause;
        }
    }

    private bool IsAside(Entry entry) => clock.GetElapsedTime(entry.Since) < entry.Pause;

    /// <summary>Removes the tasks whose pause ended long ago: they have not failed again.</summary>
    private void Forget()
    {
        foreach (var (key, entry) in _entries)
        {
            if (clock.GetElapsedTime(entry.Since) > entry.Pause + (2 * _longest))
            {
                _entries.Remove(key);
            }
        }

        _isEmpty = _entries.Count == 0;
    }

    private readonly record struct Entry(long Since, TimeSpan Pause);
}
