using System.Globalization;

namespace Kaiju.Tasks;

/// <summary>
/// How long a failed task waits before it is tried again, unless the task says so itself
/// (<see cref="TaskDefinition.RetryDelay"/>).
/// </summary>
public abstract class RetryDelay
{
    private static readonly TimeSpan _longest = TimeSpan.FromDays(366);

    private protected RetryDelay()
    {
    }

    /// <summary>1, 2, 4 … seconds, at most ten minutes, each up to 20 % shorter or longer. The default.</summary>
    public static RetryDelay Default { get; } = Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), 0.2);

    /// <summary>At once.</summary>
    public static RetryDelay None { get; } = Constant(TimeSpan.Zero);

    /// <summary>Always the same time.</summary>
    /// <param name="delay">Zero or more, at most 366 days.</param>
    public static RetryDelay Constant(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(delay, _longest);
        return new Growing(delay, delay, 0);
    }

    /// <summary>Doubles with each retry.</summary>
    /// <param name="first">The time before the first retry; more than zero.</param>
    /// <param name="most">The longest time; at least <paramref name="first"/>, at most 366 days.</param>
    /// <param name="jitter">
    /// The share by which a delay may be shorter or longer, 0 to 1, so that tasks that failed together do not come back
    /// together.
    /// </param>
    public static RetryDelay Exponential(TimeSpan first, TimeSpan most, double jitter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(first, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, _longest);
        ArgumentOutOfRangeException.ThrowIfNegative(jitter);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(jitter, 1);
        return new Growing(first, most, jitter);
    }

    /// <summary>The time before a retry. The same for the same arguments: the jitter comes from the run's id.</summary>
    /// <param name="jobId">The run.</param>
    /// <param name="retry">Which retry, from 1.</param>
    public abstract TimeSpan GetDelay(string jobId, int retry);

    private sealed class Growing(TimeSpan first, TimeSpan most, double jitter) : RetryDelay
    {
        public override TimeSpan GetDelay(string jobId, int retry)
        {
            ArgumentNullException.ThrowIfNull(jobId);
            ArgumentOutOfRangeException.ThrowIfLessThan(retry, 1);
            var doublings = Math.Min(retry - 1, 40);
            var delay = Math.Min(first.TotalSeconds * (1L << doublings), most.TotalSeconds);
            delay *= 1 + (jitter * ((2 * Sample(jobId, retry)) - 1));
            return TimeSpan.FromSeconds(Math.Min(delay, most.TotalSeconds));
        }

        // A hash in place of a random number: a retry's time is then a fact about the run, the same in every store and
        // every replay. Which runs fail together is not known to the hash, so they spread all the same. FNV-1a.
        private static double Sample(string jobId, int retry)
        {
            var hash = 14695981039346656037UL;
            foreach (var c in string.Create(CultureInfo.InvariantCulture, $"{jobId}#{retry}"))
            {
                hash = (hash ^ c) * 1099511628211UL;
            }

            // The high bits are the well mixed ones after a last round.
            hash ^= hash >> 32;
            hash *= 0xD6E8FEB86659FD93UL;
            return (hash >> 11) / (double)(1UL << 53);
        }
    }
}
