using System.Diagnostics;
using Kaiju.Tasks.Relational;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>Callers share batches without a thread of their own.</summary>
public sealed class BatchesTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Each call is added just when the worker, having answered the previous call, checks for more. That window is a
    /// few nanoseconds wide, so two threads that never sleep aim very many calls at it.
    /// </summary>
    [Fact]
    public void A_call_that_is_added_while_the_worker_ends_is_answered()
    {
        var queue = new BatchQueue<int, int>();
        var works = new bool[1];
        var isOver = false;
        var worker = new Thread(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                if (Volatile.Read(ref works[0]))
                {
                    Volatile.Write(ref works[0], false);
                    while (queue.Take() is { } batch)
                    {
                        batch.Answer(batch.Items);
                    }
                }
            }
        });
        worker.Start();
        try
        {
            int[] item = [1];
            var time = Stopwatch.StartNew();
            for (var calls = 0; calls < 4_000_000 && time.Elapsed < TimeSpan.FromSeconds(15); calls++)
            {
                var call = new BatchedCall<int, int>(item, 1);
                if (queue.Add(call))
                {
                    Volatile.Write(ref works[0], true);
                }

                if (!SpinUntilAnswered(call.Task))
                {
                    throw new InvalidOperationException($"Call {calls} is waiting and there is no worker.");
                }
            }
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            worker.Join();
        }
    }

    private static bool SpinUntilAnswered(Task task)
    {
        var began = Stopwatch.GetTimestamp();
        while (!task.IsCompleted)
        {
            if (Stopwatch.GetElapsedTime(began) > _bound)
            {
                return false;
            }
        }

        return true;
    }

    [Fact]
    public async Task Calls_that_are_added_while_a_batch_runs_are_the_next_batch()
    {
        var begun = new SemaphoreSlim(0);
        var go = new SemaphoreSlim(0);
        var carried = new List<int[]>();
        await using var batches = new Batches<int, int>(async (items, cancellationToken) =>
        {
            begun.Release();
            (await go.WaitAsync(_bound, cancellationToken)).Should().BeTrue();
            carried.Add([.. items]);
            return items;
        }, _ => 1);
        var first = batches.AddAsync([1], default);
        (await begun.WaitAsync(_bound)).Should().BeTrue();
        var second = batches.AddAsync([2, 3], default);
        var third = batches.AddAsync([4], default);
        go.Release(2);

        (await first).Should().Equal(1);
        (await second).Should().Equal(2, 3);
        (await third).Should().Equal(4);
        carried.Should().BeEquivalentTo([new[] { 1 }, [2, 3, 4]], options => options.WithStrictOrdering());
    }

    [Fact]
    public async Task Disposal_completes_when_every_earlier_call_is_answered_and_later_calls_are_refused()
    {
        var begun = new SemaphoreSlim(0);
        var go = new SemaphoreSlim(0);
        var batches = new Batches<int, int>(async (items, cancellationToken) =>
        {
            begun.Release();
            (await go.WaitAsync(_bound, cancellationToken)).Should().BeTrue();
            return items;
        }, _ => 1);
        var first = batches.AddAsync([1], default);
        (await begun.WaitAsync(_bound)).Should().BeTrue();
        var second = batches.AddAsync([2], default);
        var end = batches.DisposeAsync();

        await FluentActions.Awaiting(() => batches.AddAsync([3], default).AsTask()).Should()
            .ThrowAsync<ObjectDisposedException>();
        end.IsCompleted.Should().BeFalse();
        go.Release(2);
        await end;

        (await first).Should().Equal(1);
        (await second).Should().Equal(2);
    }
}
