using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>The guarantees of a store with many concurrent callers.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreConcurrencyTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>Executors and managers on many threads finish every task once, and lose none.</summary>
    [Fact]
    public async Task Concurrent_callers_finish_every_task_exactly_once()
    {
        const int Tasks = 200;
        await using var opened = await OpenAsync();
        var recorded = new System.Collections.Concurrent.ConcurrentBag<(string Id, int Stage)>();
        var finished = 0;

        async Task Execute(int number)
        {
            var me = Executor.With(e => e.Id, $"e{number}");
            var reports = 0;
            while (Volatile.Read(ref finished) < Tasks)
            {
                foreach (var task in await opened.Queue.ClaimAsync(
                    new ClaimRequest { Executor = me, MaxTasks = 7, MaxBytes = long.MaxValue }, default))
                {
                    for (var stage = task.Stage; stage < task.Stages; stage++)
                    {
                        var fails = task.Attempt < 3 && reports++ % 5 == 0;
                        var outcome = fails
                            ? StageOutcome.Failed(TaskError.Create(TaskErrorKind.Handler, "boom"))
                            : StageOutcome.Completed(Json.Of($"\"{task.Id}/{stage}\""));
                        if ((await opened.Store.RecordAsync(
                            [Report(task, stage, outcome)], default))[0] == ReportAnswer.Superseded || fails)
                        {
                            break;
                        }

                        recorded.Add((task.Id, stage));
                        if (stage == task.Stages - 1)
                        {
                            Interlocked.Increment(ref finished);
                        }
                    }
                }

                if (number == 0)
                {
                    await opened.Store.SuspendExecutorAsync("e1", default);
                }
            }
        }

        async Task Manage()
        {
            while (Volatile.Read(ref finished) < Tasks)
            {
                await opened.Store.QueueDueAsync(10, default);
                await opened.Store.RequeueFailedAsync(10, default);
            }
        }

        var running = Enumerable.Range(0, 4).Select(number => System.Threading.Tasks.Task.Run(() => Execute(number)))
            .Append(System.Threading.Tasks.Task.Run(Manage)).Append(System.Threading.Tasks.Task.Run(Manage)).ToList();
        for (var i = 0; i < Tasks; i++)
        {
            var definition = Checked.Definition(
                Task($"t{i:000}", 3) with { MaxRetries = 10, RetryDelay = TimeSpan.Zero, Notify = true });
            await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        }

        await System.Threading.Tasks.Task.WhenAll(running).WaitAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(Tasks * 3, recorded.Distinct().Count());
        Assert.Equal(Tasks * 3, recorded.Count);
        var all = await ListAsync(opened, new TaskQuery());
        Assert.Equal(Tasks, all.Count);
        Assert.All(
            all,
            task => Assert.Equal([$"\"{task.Id}/0\"", $"\"{task.Id}/1\"", $"\"{task.Id}/2\""], task.Result.Texts()));
        var left = await opened.Store.ListNotificationsAsync(new NotificationQuery(), null, 9_999, default);
        Assert.Equal(Tasks, left.Items.Count(notification => notification.State == TaskState.Finished));
    }
}
