namespace Kaiju.Tasks.Tests;

/// <summary>Waits for signals. The bound only turns a hang into a failure; no test waits for time to pass.</summary>
internal static class Waiting
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    public static Task Soon(this Task task) => task.WaitAsync(_bound);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(_bound);

    /// <summary>Polls until the condition holds, where there is no signal.</summary>
    public static async Task Until(Func<Task<bool>> isSo)
    {
        using var bound = new CancellationTokenSource(_bound);
        while (!await isSo())
        {
            bound.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}

/// <summary>A handler that signals when it runs and ends on cancellation or when the gate opens.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a handler is inside.</summary>
    public Task Entered => _entered.Task.Soon();

    /// <summary>Completes when the token of a handler inside is cancelled.</summary>
    public Task Cancelled => _cancelled.Task.Soon();

    public void Open() => _open.TrySetResult();

    /// <summary>Stays inside until the gate opens or the token is cancelled.</summary>
    public async Task PassAsync(CancellationToken cancellationToken)
    {
        _entered.TrySetResult();
        try
        {
            await _open.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _cancelled.TrySetResult();
            throw;
        }
    }

    /// <summary>Stays inside until the gate opens, whatever the token says.</summary>
    public async Task PassStubbornlyAsync(CancellationToken cancellationToken)
    {
        _entered.TrySetResult();
        await using var registration = cancellationToken.Register(() => _cancelled.TrySetResult());
        await _open.Task;
    }
}
