using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Decides when and how long a step is retried: after transient faults, and for rows that another transaction holds.
/// Nothing else in the adapter repeats a step. See docs/decisions/0014.
/// </summary>
internal sealed class PostgreSqlRetries(
    PostgreSqlConnections connections, StoreParts parts, Place place, StoreOutages? outages) : IDisposable
{
    private const int Tries = 8;

    /// <summary>The most steps that retry at once for held rows, and the most that complete open creations.</summary>
    private const int MostAtOnce = 4;

    private const string StepWork = "change or read tasks";

    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest wait of a step for a held row, unless its caller cancels earlier.</summary>
    private static readonly TimeSpan _mostHeld = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _held = new(MostAtOnce, MostAtOnce);
    private readonly SemaphoreSlim _left = new(MostAtOnce, MostAtOnce);
    private readonly CancellationTokenSource _closing = new();

    /// <summary>
    /// Retries after pauses that grow and are randomised: a few times after transient faults, and for a while for rows
    /// that another transaction holds.
    /// </summary>
    public async ValueTask<T> RepeatAsync<T>(Attempt<T> attempt, CancellationToken cancellationToken)
    {
        var wait = default(HeldWait);
        for (var tries = 1; ;)
        {
            TimeSpan pause;
            try
            {
                var answer = await attempt.TryAsync().ConfigureAwait(false);
                outages?.Succeeded(StepWork);
                return answer;
            }
            catch (PostgresException e) when (Faults.IsHeld(e) && attempt.IsPassing(e)
                && !cancellationToken.IsCancellationRequested && !_closing.IsCancellationRequested)
            {
                attempt.PrepareNext(e);
                wait ??= new HeldWait(parts.Logger);
                wait.Add(e);
                pause = wait.Elapsed < _mostHeld ? PauseOf(wait.Count) : throw HeldTooLong(wait, e);
            }
            catch (Exception e) when (Faults.IsUnfit(e) || (!Faults.IsHeld(e) && tries < Tries && attempt.IsPassing(e)))
            {
                if (Faults.IsUnfit(e))
                {
                    await connections.RenewAsync(e).ConfigureAwait(false);
                }

                if (tries == Tries || cancellationToken.IsCancellationRequested || !attempt.IsPassing(e))
                {
                    if (place.IsWanted(e))
                    {
                        throw place.Located(e);
                    }

                    throw;
                }

                attempt.PrepareNext(e);
                pause = PauseOf(tries++);
                RelationalLog.StepRepeated(parts.Logger, e, pause);
                if (Faults.IsUnfit(e) || Faults.IsOfConnection(e))
                {
                    outages?.Failed(StepWork, e);
                }
            }
            catch (Exception e) when (place.IsWanted(e))
            {
                throw place.Located(e);
            }

            await Task.Delay(pause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Retries a step that other transactions block, outside every batch, until it is answered or its caller cancels.
    /// </summary>
    public async ValueTask<T> WaitAloneAsync<T>(Func<ValueTask<T>> act, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        var wait = new HeldWait(parts.Logger);
        try
        {
            while (true)
            {
                try
                {
                    return await InTurnAsync(_held, act, end.Token).ConfigureAwait(false);
                }
                catch (PostgresException e) when (Faults.IsHeld(e))
                {
                    wait.Add(e);
                }

                await Task.Delay(PauseOf(wait.Count), TimeProvider.System, end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested
            && !cancellationToken.IsCancellationRequested)
        {
            throw ClosedStore.Fault();
        }
    }

    /// <summary>Completes the creations that a batch left open; only a few run at once.</summary>
    public ValueTask<T> DoLeftAsync<T>(Func<ValueTask<T>> act, CancellationToken cancellationToken) =>
        InTurnAsync(_left, act, cancellationToken);

    /// <summary>A pause that grows with the number of tries and is randomised.</summary>
    public TimeSpan PauseOf(int tries)
    {
        var share = (parts.Ids.NewId().GetHashCode() & 0xFFFF) / (double)0x10000;
        var pause = _firstPause * Math.Pow(2, Math.Min(tries, 10) - 1);
        return (pause < _longestPause ? pause : _longestPause) * (0.5 + share);
    }

    /// <summary>Ends the waits for held rows.</summary>
    public Task EndWaitsAsync() => _closing.CancelAsync();

    public void Dispose() => _closing.Dispose();

    private TimeoutException HeldTooLong(HeldWait wait, Exception e) => new(
        $"Another transaction has held a row or a table that the step needs for {wait.Elapsed}. The step "
        + $"had no effect. ({place})",
        e);

    private static async ValueTask<T> InTurnAsync<T>(
        SemaphoreSlim turns, Func<ValueTask<T>> act, CancellationToken cancellationToken)
    {
        await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await act().ConfigureAwait(false);
        }
        finally
        {
            turns.Release();
        }
    }
}
