using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <content>What is tried again: what fails in passing, and what another transaction holds.</content>
internal sealed partial class PostgreSqlTaskStore
{
    /// <summary>How many steps that met a held row try again at once, and how many that a batch has left.</summary>
    private const int MostAtOnce = 4;

    private const string StepWork = "change or read tasks";

    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _longUntilSaid = TimeSpan.FromSeconds(2);

    /// <summary>How long a step waits for a held row if its caller does not give up before.</summary>
    private static readonly TimeSpan _mostHeld = TimeSpan.FromSeconds(30);

    /// <summary>How long what is given back waits for rows that are held: less than a stopping executor waits.</summary>
    private static readonly TimeSpan _mostGivingBack = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _held = new(MostAtOnce, MostAtOnce);
    private readonly SemaphoreSlim _others = new(MostAtOnce, MostAtOnce);
    private readonly CancellationTokenSource _closing = new();

    public override async ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(string executorId, CancellationToken cancellationToken) =>
        await GiveBackAsync(executorId, [], () => base.SuspendExecutorAsync(executorId, cancellationToken), cancellationToken).ConfigureAwait(false);

    public override async ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken) =>
        await GiveBackAsync(executorId, known, () => base.GiveBackStrayClaimsAsync(executorId, known, cancellationToken), cancellationToken).ConfigureAwait(false);

    /// <summary>What is free is given back at once. Tasks that another transaction holds are passed over, and tried again for a while.</summary>
    private async ValueTask<IReadOnlyList<TaskMove>> GiveBackAsync(
        string executorId, IReadOnlyList<HeldClaim> known, Func<ValueTask<IReadOnlyList<TaskMove>>> giveBack, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        var moves = await giveBack().ConfigureAwait(false);
        for (var tries = 1; ; tries++)
        {
            var left = await ReadAsync(
                step => step.QueryAsync("held_by", row => row.GetGuid(0), Argument.Text("executor", executorId)), cancellationToken).ConfigureAwait(false);
            var count = left.Except(known.Select(held => held.Claim)).Count();
            if (count == 0)
            {
                return moves;
            }

            if (TimeProvider.System.GetElapsedTime(began) >= _mostGivingBack)
            {
                RelationalLog.GiveBackIncomplete(_logger, executorId, count);
                return moves;
            }

            await Task.Delay(PauseOf(tries), TimeProvider.System, cancellationToken).ConfigureAwait(false);
            moves = [.. moves, .. await giveBack().ConfigureAwait(false)];
        }
    }

    /// <summary>Tries something again that other transactions hold up, outside every batch, until it is answered or its caller gives up.</summary>
    private async ValueTask<T> AloneAsync<T>(Func<ValueTask<T>> act, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        var wait = new HeldWait(_logger);
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
        catch (OperationCanceledException) when (_closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw ClosedStore.Fault();
        }
    }

    private static async ValueTask<T> InTurnAsync<T>(SemaphoreSlim turns, Func<ValueTask<T>> act, CancellationToken cancellationToken)
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

    /// <summary>
    /// Tries again, after pauses that grow and differ: what fails in passing a few times, and what another transaction holds for a while.
    /// </summary>
    private async ValueTask<T> RepeatAsync<T>(Func<Task<T>> act, Func<Exception, bool> isPassing, CancellationToken cancellationToken)
    {
        var wait = default(HeldWait);
        for (var tries = 1; ;)
        {
            TimeSpan pause;
            try
            {
                var answer = await act().ConfigureAwait(false);
                _outages?.Succeeded(StepWork);
                return answer;
            }
            catch (PostgresException e) when (Faults.IsHeld(e) && isPassing(e) && !cancellationToken.IsCancellationRequested && !_isDisposed)
            {
                wait ??= new HeldWait(_logger);
                wait.Add(e);
                if (wait.Elapsed >= _mostHeld)
                {
                    throw new TimeoutException(
                        $"Another transaction has held a row or a table that the step needs for {wait.Elapsed}. The step has "
                        + $"not happened. ({_place})",
                        e);
                }

                pause = PauseOf(wait.Count);
            }
            catch (Exception e) when (Faults.IsUnfit(e) || (!Faults.IsHeld(e) && tries < Tries && isPassing(e)))
            {
                if (Faults.IsUnfit(e))
                {
                    await _sessions.RenewAsync(e).ConfigureAwait(false);
                }

                if (tries == Tries || cancellationToken.IsCancellationRequested || !isPassing(e))
                {
                    if (_place.IsWanted(e))
                    {
                        throw _place.Located(e);
                    }

                    throw;
                }

                pause = PauseOf(tries++);
                RelationalLog.StepRepeated(_logger, e, pause);
                if (Faults.IsUnfit(e) || Faults.IsOfConnection(e))
                {
                    _outages?.Failed(StepWork, e);
                }
            }
            catch (Exception e) when (_place.IsWanted(e))
            {
                throw _place.Located(e);
            }

            await Task.Delay(pause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    private TimeSpan PauseOf(int tries)
    {
        var share = (Ids.NewId().GetHashCode() & 0xFFFF) / (double)0x10000;
        var pause = _firstPause * Math.Pow(2, Math.Min(tries, 10) - 1);
        return (pause < _longestPause ? pause : _longestPause) * (0.5 + share);
    }

    /// <summary>How long a step has been waiting for what another transaction holds; the log hears of it once.</summary>
    private sealed class HeldWait(ILogger logger)
    {
        private readonly long _began = TimeProvider.System.GetTimestamp();
        private bool _isSaid;

        public int Count { get; private set; }

        public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_began);

        public void Add(Exception e)
        {
            Count++;
            if (!_isSaid && Elapsed >= _longUntilSaid)
            {
                _isSaid = true;
                RelationalLog.StepHeld(logger, e, Elapsed);
            }
        }
    }
}
