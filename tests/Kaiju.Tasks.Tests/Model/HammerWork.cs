using System.Collections.Concurrent;
using System.Globalization;

namespace Kaiju.Tasks.Tests.Model;

/// <summary>
/// The result of a stage: where it ran, a number that no other run of a stage has, and the number of the stage whose
/// result it saw.
/// </summary>
internal sealed record HammerResult(string Task, string Run, int Pass, int Stage, long Number, long Before);

/// <summary>The handlers and their observations.</summary>
internal sealed class HammerWork
{
    private readonly TaskCompletionSource _allSlotsHeld = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _begun = new();
    private readonly ConcurrentDictionary<long, string> _recorded = new();
    private long _number;
    private int _held;

    /// <summary>The number of runs of each stage in each attempt.</summary>
    public ConcurrentDictionary<string, int> CallsOf { get; } = new();

    public long Calls => Interlocked.Read(ref _number);

    /// <summary>Completes when every slot of a host is held by a handler that does not end on its own.</summary>
    public Task AllSlotsHeld => _allSlotsHeld.Task;

    public HammerResult Work(StageContext context)
    {
        CallsOf.AddOrUpdate(
            string.Create(CultureInfo.InvariantCulture, $"{context.IdempotencyKey}#{context.Attempt}"),
            1,
            (_, calls) => calls + 1);
        Begun(context.TaskId).TrySetResult();
        var before = context.Results.Count == 0 ? 0 : NumberOf(context, context.Results.Count - 1);
        return new HammerResult(
            context.TaskId, context.JobId, context.Pass, context.Stage, Interlocked.Increment(ref _number), before);
    }

    public HammerResult Flaky(StageContext context)
    {
        var result = Work(context);
        return result.Number % 3 == 0 ? throw new InvalidOperationException("It happens.") : result;
    }

    /// <summary>Ignores its cancellation token.</summary>
    public async Task StubbornAsync()
    {
        Hold();
        await _released.Task;
    }

    /// <summary>Ends when its token is cancelled.</summary>
    public async Task PatientAsync(CancellationToken cancellationToken)
    {
        Hold();
        await _released.Task.WaitAsync(cancellationToken);
    }

    public void Release() => _released.TrySetResult();

    /// <summary>Completes when a stage of the task has begun.</summary>
    public TaskCompletionSource Begun(string taskId) =>
        _begun.GetOrAdd(taskId, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>Forgets the task, and checks that no result is in two places.</summary>
    public void Recorded(string taskId, IEnumerable<HammerResult> results)
    {
        _begun.TryRemove(taskId, out _);
        foreach (var result in results)
        {
            _recorded.TryAdd(result.Number, taskId).Should().BeTrue("result {0} is recorded once", result.Number);
        }
    }

    /// <summary>The number in the last result that has one; those of timers and messages have none.</summary>
    private static long NumberOf(StageContext context, int stage)
    {
        for (; stage >= 0; stage--)
        {
            if (context.Results[stage].ValueKind == System.Text.Json.JsonValueKind.Object)
            {
                return context.GetResult<HammerResult>(stage)!.Number;
            }
        }

        return 0;
    }

    private void Hold()
    {
        if (Interlocked.Increment(ref _held) == HammerHost.Capacity)
        {
            _allSlotsHeld.TrySetResult();
        }
    }
}
