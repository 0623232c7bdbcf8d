using System.Collections.Concurrent;

namespace Kaiju.Tasks.Tests.Callers;

/// <summary>
/// A context with one thread, as in WinForms and WPF: posted work runs on that thread when it is free. While a call
/// blocks the thread, posted work waits.
/// </summary>
internal sealed class OneThreadContext : SynchronizationContext
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    private readonly BlockingCollection<(SendOrPostCallback Call, object? State)> _posted = [];
    private int _count;

    /// <summary>The number of posts to the one thread.</summary>
    public int Posted => Volatile.Read(ref _count);

    /// <summary>Runs work on the one thread, which never processes posted work.</summary>
    public static void Block(Action<OneThreadContext> work) => Run(context =>
    {
        work(context);
        return Task.CompletedTask;
    });

    /// <summary>Runs work on the one thread, which processes posted work at every await.</summary>
    public static void Run(Func<OneThreadContext, Task> work)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Run(work, ended)) { IsBackground = true, Name = "the caller's only thread" }.Start();
        if (!ended.Task.Wait(_bound))
        {
            throw new TimeoutException(
                "The caller's only thread is stuck: something waits for it that it waits for itself.");
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        Interlocked.Increment(ref _count);
        _posted.Add((d, state));
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("Nothing that is tested sends.");

    public override SynchronizationContext CreateCopy() => this;

    private static void Run(Func<OneThreadContext, Task> work, TaskCompletionSource ended)
    {
        var context = new OneThreadContext();
        SetSynchronizationContext(context);
        try
        {
            var running = work(context);
            running.ContinueWith(_ => context._posted.CompleteAdding(), TaskScheduler.Default);
            foreach (var (call, state) in context._posted.GetConsumingEnumerable())
            {
                call(state);
            }

            running.GetAwaiter().GetResult();
            ended.SetResult();
        }
        catch (Exception e)
        {
            ended.SetException(e);
        }
    }
}
