using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// How often an executor pings and how long it waits for an answer, so that one ping without an answer ends no healthy
/// executor: interval, timeout and pause together are shorter than its lifetime.
/// </summary>
internal sealed class PingRhythm(KaijuTasksOptions options)
{
    private readonly TimeSpan _lifetime = options.Rules.ExecutorLifetime;

    /// <summary>From the beginning of one ping to that of the next, whatever else is to be asked.</summary>
    public TimeSpan Interval => options.PingInterval;

    /// <summary>How long an answer is waited for.</summary>
    public TimeSpan Timeout => Shorter(Interval, _lifetime / 3);

    /// <summary>How long another question waits for its answer that shares the heartbeats' connection.</summary>
    public TimeSpan QuestionTimeout => Timeout / 2;

    /// <summary>The longest pause after a ping that failed.</summary>
    public TimeSpan LongestPause => Shorter(options.MaxFaultDelay, _lifetime / 12);

    /// <summary>
    /// How long after a ping a stage may begin. An executor is found dead a lifetime after its last ping; half an
    /// interval less, since a thread may stand still between this look and the handler's first line.
    /// </summary>
    public TimeSpan Certainty => _lifetime - (Interval / 2);

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
