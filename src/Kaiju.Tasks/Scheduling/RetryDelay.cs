using System.Globalization;

namespace Kaiju.Tasks;

/// <summary>
/// The delay before a failed run is retried. A task can set its own delay with
/// <see cref="TaskDefinition.RetryDelay"/>.
/// </summary>
public abstract class RetryDelay
{
    private static readonly TimeSpan _longest = TimeSpan.FromDays(366);

    private protected RetryDelay()
    {
    }

    /// <summary>
    /// The default: 1, 2, 4 … seconds, at most ten minutes, each up to 20 % shorter or longer at random.
    /// </summary>
    public static RetryDelay Default { get; } = Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), 0.2);

    /// <summary>No delay: a failed run is retried at once.</summary>
    public static RetryDelay None { get; } = Constant(TimeSpan.Zero);

    /// <summary>Makes a delay that is the same before each retry.</summary>
    /// <param name="delay">The delay: zero or more, at most 366 days.</param>
    public static RetryDelay Constant(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(delay, _longest);
        return new Growing(delay, delay, 0);
    }

    /// <summary>Makes a delay that doubles with each retry.</summary>
    /// <param name="first">The delay before the first retry; more than zero.</param>
    /// <param name="most">The longest delay; at least <paramref name="first"/>, at most 366 days.</param>
    /// <param name="jitter">
    /// The share by which a delay may be shorter or longer, 0 to 1. It spreads the retries of tasks that failed
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

    /// <summary>
    /// Computes the delay before a retry. It is the same for the same arguments: its jitter is computed from the run's
    /// id.
    /// </summary>
    /// <param name="jobId">The run's id.</param>
    /// <param name="retry">The number of the retry, from 1.</param>
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

        // A hash (FNV-1a) instead of a random number: the time of a retry is then the same in every store and every
        // test. Ids of runs are random, so the retries of runs that fail together still spread.
        private static double Sample(string jobId, int retry)
        {
            var hash = 14695981039346656037UL;
            foreach (var c in string.Create(CultureInfo.InvariantCulture, $"{jobId}#{retry}"))
            {
                hash = (hash ^ c) * 1099511628211UL;
            }

            // One more round mixes the high bits, which are used.
            hash ^= hash >> 32;
            hash *= 0xD6E8FEB86659FD93UL;
            return (hash >> 11) / (double)(1UL << 53);
        }
    }
}
