using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Client;

/// <summary>
/// Makes all calls from the client to the store. A call ends after <see cref="KaijuTasksOptions.ClientTimeout"/>, with
/// the host, or with the caller's token. The store's token is then cancelled, and the call returns even if the store
/// does not react.
/// </summary>
internal sealed class ClientCalls(
    ITaskStore store, TimeProvider clock, ClientLifetime lifetime, Offload offload, KaijuTasksOptions options)
{
    /// <summary>
    /// The additional wait for a store that uses the caller's connection: longer than a driver needs to cancel a
    /// statement.
    /// </summary>
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(5);

    /// <summary>The name of the store's type, for messages.</summary>
    public string StoreName => store.GetType().Name;

    /// <summary>True if the store can join a transaction of the caller.</summary>
    public bool IsTransactional => store.InCallersTransaction is not null;

    /// <summary>Subscribes to the store's hints. Returns at once.</summary>
    public IDisposable Listen(Action<StoreHint> listener) => store.Listen(listener);

    /// <summary>Makes one call to the store.</summary>
    /// <exception cref="TaskStoreTimeoutException">The store did not answer in time.</exception>
    /// <exception cref="TaskHostStoppedException">The host has stopped.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled.</exception>
    public async ValueTask<T> AskAsync<TState, T>(
        ClientCall call,
        TState state,
        Func<ITaskStore, TState, CancellationToken, ValueTask<T>> ask,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (lifetime.Ended.IsCancellationRequested)
        {
            throw new TaskHostStoppedException(call.ToString(), mayHaveHappened: false);
        }

        // Without a timer and never disposed: a store may use the token long after the caller has returned. A store in
        // memory answers at once, so the timer and the linked token are only created for other stores.
        var giveUp = new CancellationTokenSource();
        var asked = ask(store, state, giveUp.Token);
        return asked.IsCompleted
            ? await asked.ConfigureAwait(false)
            : await AwaitAsync(call, asked.AsTask(), giveUp, cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> AwaitAsync<T>(
        ClientCall call, Task<T> answer, CancellationTokenSource giveUp, CancellationToken cancellationToken)
    {
        using var linked = cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.Ended)
            : null;
        await ((Task)answer).WaitAsync(options.ClientTimeout, clock, linked?.Token ?? lifetime.Ended)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (answer.IsCompleted)
        {
            return await answer.ConfigureAwait(false);
        }

        // Not on this thread: a driver may block while it cancels a statement.
        offload.Cancel(giveUp);
        _ = answer.ContinueWith(
            static late => _ = late.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default);
        if (call.UsesConnection)
        {
            await ((Task)answer).WaitAsync(_grace, clock, CancellationToken.None).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
            if (answer.IsCompletedSuccessfully)
            {
                return await answer.ConfigureAwait(false);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw lifetime.Ended.IsCancellationRequested
            ? new TaskHostStoppedException(call.ToString(), call.MayChange)
            : new TaskStoreTimeoutException(call.ToString(), options.ClientTimeout, call.MayChange);
    }
}
