using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Tests;

/// <summary>Fake time that reports sleepers, so that a test moves it only when one sleeps.</summary>
internal sealed class TestClock() : FakeTimeProvider(TaskTestHost.Start)
{
    private readonly Lock _lock = new();
    private readonly HashSet<TimeSpan> _sleeping = [];
    private readonly List<(TimeSpan Due, TaskCompletionSource Asleep)> _watching = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        lock (_lock)
        {
            _sleeping.Add(dueTime);
            _watching.RemoveAll(watch => watch.Due == dueTime && watch.Asleep.TrySetResult());
        }

        return timer;
    }

    /// <summary>Completes when a caller has slept for this long since time was last moved.</summary>
    public Task SleepingAsync(TimeSpan due)
    {
        lock (_lock)
        {
            if (_sleeping.Contains(due))
            {
                return Task.CompletedTask;
            }

            var asleep = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _watching.Add((due, asleep));
            return asleep.Task.Soon();
        }
    }

    /// <summary>Waits until a caller sleeps for this long, and then moves time by as much.</summary>
    public async Task PassAsync(TimeSpan due)
    {
        await SleepingAsync(due);
        lock (_lock)
        {
            _sleeping.Clear();
        }

        Advance(due);
    }
}
