using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// The interval of an executor's pings and the timeouts of their answers. Interval, timeout and pause together are
/// shorter than the executor's lifetime, so one unanswered ping does not end a healthy executor.
/// </summary>
internal sealed class PingRhythm(KaijuTasksOptions options)
{
    private readonly TimeSpan _lifetime = options.Rules.ExecutorLifetime;

    /// <summary>The time from the start of one ping to the start of the next.</summary>
    public TimeSpan Interval => options.PingInterval;

    /// <summary>The longest wait for the answer to a ping.</summary>
    public TimeSpan Timeout => Shorter(Interval, _lifetime / 3);

    /// <summary>
    /// The longest wait for the answer to another query, which may share the connection of the pings.
    /// </summary>
    public TimeSpan QuestionTimeout => Timeout / 2;

    /// <summary>The longest pause after a failed ping.</summary>
    public TimeSpan LongestPause => Shorter(options.MaxFaultDelay, _lifetime / 12);

    /// <summary>
    /// The longest time after a ping in which a stage may begin. It is half an interval shorter than the executor's
    /// lifetime, since the thread may pause between this check and the handler's first line.
    /// </summary>
    public TimeSpan Certainty => _lifetime - (Interval / 2);

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
