using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>
/// Gaps in which the store was away, and the time from which silence counts. Times are seconds; a ping interval is 30 s
/// and a lifetime 90 s.
/// </summary>
public sealed class StoreWatchTests
{
    private static readonly LifecycleRules _rules = new();

    [Theory]
    [InlineData(100, 0, 100.0, 100, 0, "the same moment")]
    [InlineData(100, 0, 107.5, 100, 0, "a quarter of an interval old: still recent")]
    [InlineData(100, 0, 107.6, 107.6, 0, "older than that")]
    [InlineData(100, 0, 145.0, 145, 0, "one and a half intervals are not a gap")]
    [InlineData(100, 0, 145.1, 145.1, 145.1, "more is one")]
    [InlineData(100, 0, 100_000, 100_000, 100_000, "no manager ran for a day")]
    [InlineData(100, 0, 99.9, 99.9, 99.9, "the clock was put back")]
    public void A_gap_begins_the_watch_anew(
        double last, double since, double now, double thenLast, double thenSince, string why) =>
        StoreWatch.Next(new StoreWatch(At(last), At(since)), At(now), _rules).Should()
            .Be(new StoreWatch(At(thenLast), At(thenSince)), why);

    [Fact]
    public void A_store_without_a_watch_is_watched_from_now_on() =>
        StoreWatch.Next(null, At(50), _rules).Should().Be(new StoreWatch(At(50), At(50)));

    [Theory]
    [InlineData(1, 2, 1.0)]
    [InlineData(1, 3, 1.5)]
    [InlineData(10, 2, 10)]
    [InlineData(10, 100, 15)]
    public void A_gap_is_never_longer_than_half_a_lifetime(double interval, int missed, double longest)
    {
        var rules = new LifecycleRules
        {
            PingInterval = TimeSpan.FromSeconds(interval),
            ExecutorLifetime = TimeSpan.FromSeconds(interval * missed),
        };
        var watch = new StoreWatch(At(1000), At(0));

        StoreWatch.Next(watch, At(1000 + longest), rules).Since.Should().Be(At(0));
        StoreWatch.Next(watch, At(1000.1 + longest), rules).Since.Should().Be(At(1000.1 + longest));
    }

    [Theory]
    [InlineData(100, 0, 190)]
    [InlineData(0, 100, 190)]
    [InlineData(100, 100, 190)]
    public void An_executor_is_expelled_a_lifetime_after_its_ping_and_after_the_gap(
        double ping, double since, double end)
    {
        StoreWatch.ExpulsionFrom(At(ping), At(since), _rules).Should().Be(At(end) + TimeSpan.FromTicks(1));
        new WatchAnswerOf(since, ping).IsDueAt(At(end)).Should().BeFalse("a lifetime is allowed");
        new WatchAnswerOf(since, ping).IsDueAt(At(end) + TimeSpan.FromTicks(1)).Should().BeTrue();
    }

    [Fact]
    public void The_next_expulsion_is_a_lifetime_away_while_there_is_a_gap_that_no_manager_has_seen() =>
        StoreWatch.FirstExpulsion(new StoreWatch(At(100), At(0)), At(90), At(1000), _rules).Should()
            .Be(At(1090) + TimeSpan.FromTicks(1));

    [Fact]
    public void Without_a_watch_only_pings_count() =>
        StoreWatch.FirstExpulsion(null, At(90), At(1000), _rules).Should().Be(At(180) + TimeSpan.FromTicks(1));

    [Fact]
    public void Without_executors_no_expulsion_is_due()
    {
        StoreWatch.FirstExpulsion(new StoreWatch(At(100), At(0)), null, At(1000), _rules).Should().BeNull();
        new Kaiju.Tasks.Storage.WatchAnswer(At(1000), At(0), null).IsExpulsionDue(_rules).Should().BeFalse();
    }

    private static DateTimeOffset At(double seconds) => DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(seconds);

    private readonly record struct WatchAnswerOf(double Since, double Ping)
    {
        public bool IsDueAt(DateTimeOffset now) =>
            new Kaiju.Tasks.Storage.WatchAnswer(now, At(Since), At(Ping)).IsExpulsionDue(_rules);
    }
}
