using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Tests.Diagnostics;

/// <summary>
/// One log for everything that an outage affects: a line at its start, one a minute, and one at its end.
/// </summary>
public sealed class StoreOutagesTests : IDisposable
{
    private static readonly string[] _works =
        ["claim tasks", "send heartbeats", "record the manager's presence", "queue due tasks", "deliver notifications"];

    private readonly FakeTimeProvider _clock = new(TaskTestHost.Start);
    private readonly RecordedLogs _logs = new();
    private readonly StoreOutages _outages;

    public StoreOutagesTests() =>
        _outages = new StoreOutages(
            _clock, new KaijuTasksOptions(), new GuardedLogger<StoreOutages>(_logs.CreateLogger("outages")));

    private List<string> Lines =>
        [.. _logs.Lines.Where(line => line.Level > LogLevel.Debug).Select(line => $"{line.Level}: {line.Text}")];

    public void Dispose() => _logs.Dispose();

    [Fact]
    public void An_outage_of_three_minutes_that_five_loops_meet_logs_five_lines()
    {
        for (var second = 0; second < 180; second++)
        {
            foreach (var work in _works)
            {
                _outages.Failed(work, new IOException($"down for {second} s"));
            }

            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        foreach (var work in _works)
        {
            _outages.Succeeded(work);
        }

        const string All =
            "claim tasks, deliver notifications, queue due tasks, record the manager's presence, send heartbeats";
        Lines.Should().Equal(
            "Error: The store is failing: could not claim tasks. Retrying until it works again.",
            $"Error: The store has been failing for 00:01:00 (301 failures): could not {All}. Still retrying. The "
                + $"last failure: down for 60 s",
            $"Error: The store has been failing for 00:02:00 (601 failures): could not {All}. Still retrying. The "
                + $"last failure: down for 120 s",
            "Information: The store works again after 00:03:00 and 900 failures.");
        _logs.Lines.First(line => line.Level == LogLevel.Error).Exception.Should().BeOfType<IOException>();
        _logs.Lines.Count(line => line.Level == LogLevel.Debug).Should().Be(
            900, "each failure is logged at Debug");
    }

    [Fact]
    public void An_outage_ends_when_the_last_failed_work_succeeds()
    {
        _outages.Failed("claim tasks", new IOException());
        _outages.Failed("record results", new IOException(), "run 1");
        _outages.Failed("record results", new IOException(), "run 2");
        _outages.Succeeded("claim tasks");
        _outages.Succeeded("record results", "run 2");
        Lines.Should().HaveCount(1);

        _outages.Succeeded("record results", "run 1");

        Lines.Should().HaveCount(2).And.HaveElementAt(
            1, "Information: The store works again after 00:00:00 and 3 failures.");
    }

    [Fact]
    public void A_store_that_fails_every_other_time_logs_one_line_a_minute()
    {
        for (var second = 0; second < 119; second++)
        {
            _outages.Failed("claim tasks", new IOException());
            _outages.Succeeded("claim tasks");
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Lines.Should().HaveCount(4, "two beginnings and their ends");
    }

    [Fact]
    public void Abandoned_work_does_not_keep_an_outage_open()
    {
        _outages.Failed("record results", new IOException(), "run 1");
        _clock.Advance(TimeSpan.FromMinutes(1));
        _outages.Succeeded("claim tasks");
        Lines.Should().HaveCount(1, "it may still be repeated");

        _clock.Advance(TimeSpan.FromMinutes(2));
        _outages.Succeeded("claim tasks");

        Lines.Should().HaveCount(2);
    }
}
