namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// The availability of a store, as its managers observe it: the time of their last write, and the time since which
/// they have written without a gap. No executor can ping while the store is unavailable. So an executor's silence
/// counts only from the end of the last gap.
/// </summary>
/// <param name="last">The last write of any manager, by the store's clock.</param>
/// <param name="since">The end of the last gap, by the store's clock.</param>
public readonly struct StoreWatch(DateTimeOffset last, DateTimeOffset since)
{
    /// <summary>The last write of any manager, by the store's clock.</summary>
    public DateTimeOffset Last { get; } = last;

    /// <summary>The end of the last gap, by the store's clock.</summary>
    public DateTimeOffset Since { get; } = since;

    /// <summary>The watch that a manager stores next; unchanged if the last write is recent enough.</summary>
    /// <param name="seen">The watch that is stored; null if there is none.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="rules">The host's rules.</param>
    public static StoreWatch Next(StoreWatch? seen, DateTimeOffset now, LifecycleRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        if (seen is not { } watch || watch.Last > now || now - watch.Last > LongestGap(rules))
        {
            return new StoreWatch(now, now);
        }

        return now - watch.Last > rules.PingInterval / 4 ? new StoreWatch(now, watch.Since) : watch;
    }

    /// <summary>
    /// The earliest time at which an executor can be expelled, by the store's clock; null if no executor is known.
    /// </summary>
    /// <param name="seen">The watch that is stored; null if there is none, and then only pings count.</param>
    /// <param name="firstPing">The oldest ping of all executors.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="rules">The host's rules.</param>
    public static DateTimeOffset? FirstExpulsion(
        StoreWatch? seen, DateTimeOffset? firstPing, DateTimeOffset now, LifecycleRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return firstPing is { } ping
            ? ExpulsionFrom(ping, seen is null ? ping : Next(seen, now, rules).Since, rules)
            : null;
    }

    /// <summary>
    /// The earliest time at which one executor can be expelled: a lifetime after its ping, and a lifetime after the end
    /// of the last gap.
    /// </summary>
    /// <param name="ping">The executor's last ping.</param>
    /// <param name="since">The end of the last gap.</param>
    /// <param name="rules">The host's rules.</param>
    public static DateTimeOffset ExpulsionFrom(DateTimeOffset ping, DateTimeOffset since, LifecycleRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);

        // Silence of exactly one lifetime is still allowed.
        return (ping > since ? ping : since) + rules.ExecutorLifetime + TimeSpan.FromTicks(1);
    }

    /// <summary>
    /// The longest time between two writes that is not an outage. An executor that pings once in each interval survives
    /// it.
    /// </summary>
    private static TimeSpan LongestGap(LifecycleRules rules)
    {
        var (gap, most) = (rules.PingInterval * 1.5, rules.ExecutorLifetime / 2);
        return gap < most ? gap : most;
    }
}
