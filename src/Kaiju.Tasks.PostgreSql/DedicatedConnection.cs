using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// A connection for one purpose, which never waits for the pool. Opened when it is needed, and again after a fault.
/// </summary>
internal sealed class DedicatedConnection(PostgreSqlConnections connections) : IAsyncDisposable
{
    private readonly PostgreSqlConnections _connections = connections.Keep();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private NpgsqlConnection? _connection;

    public async ValueTask<T> UseAsync<T>(Func<NpgsqlConnection, ValueTask<T>> use, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _connection ??= await _connections.OpenKeptAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return await use(_connection).ConfigureAwait(false);
            }
            catch (Exception e) when ((Faults.IsOfConnection(e) || Faults.IsUnfit(e))
                && !cancellationToken.IsCancellationRequested)
            {
                // The connection may have died long ago, also in the pool that it came from. Its use may be repeated.
                await CloseAsync(e).ConfigureAwait(false);
                _connection = await _connections.OpenKeptAsync(cancellationToken).ConfigureAwait(false);
                return await use(_connection).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (!Faults.IsHeld(e))
        {
            await CloseAsync(e).ConfigureAwait(false);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Without awaiting, on a thread that may be kept. A connection that has died is not opened again at once: whoever
    /// asks decides what a fault means.
    /// </summary>
    public T Use<T>(Func<NpgsqlConnection, T> use)
    {
        _turn.Wait();
        try
        {
            // Opened as the pool opens others, since a password may be there only for those who await it.
            _connection ??= _connections.OpenKeptAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
            return use(_connection);
        }
        catch (Exception e) when (!Faults.IsHeld(e))
        {
            Interlocked.Exchange(ref _connection, null)?.Dispose();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        _turn.Dispose();
    }

    private async ValueTask CloseAsync(Exception? fault = null)
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }

        if (fault is not null && Faults.IsUnfit(fault))
        {
            await _connections.RenewAsync(fault).ConfigureAwait(false);
        }
    }
}
