using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// When something is tried again, and for how long: what fails in passing, and what another transaction holds. Nothing
/// else in the adapter repeats a step. See docs/decisions/0014.
/// </summary>
internal sealed class PostgreSqlRetries(
    PostgreSqlConnections connections, StoreParts parts, Place place, StoreOutages? outages) : IDisposable
{
    private const int Tries = 8;

    /// <summary>How many steps that met a held row try again at once, and how many that a batch has left.</summary>
    private const int MostAtOnce = 4;

    private const string StepWork = "change or read tasks";

    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a step waits for a held row if its caller does not give up before.</summary>
    private static readonly TimeSpan _mostHeld = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _held = new(MostAtOnce, MostAtOnce);
    private readonly SemaphoreSlim _left = new(MostAtOnce, MostAtOnce);
    private readonly CancellationTokenSource _closing = new();

    /// <summary>
    /// Tries again, after pauses that grow and differ: what fails in passing a few times, and what another transaction
    /// holds for a while.
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
    /// Tries something again that other transactions hold up, outside every batch, until it is answered or its caller
    /// gives up.
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

    /// <summary>Does what a batch has left, only a few at once.</summary>
    public ValueTask<T> DoLeftAsync<T>(Func<ValueTask<T>> act, CancellationToken cancellationToken) =>
        InTurnAsync(_left, act, cancellationToken);

    /// <summary>A pause that grows with the tries and differs from that of others.</summary>
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
        $"Another transaction has held a row or a table that the step needs for {wait.Elapsed}. The step has "
        + $"not happened. ({place})",
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
