using System.Data;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Where the store's connections come from: a pool, and for what must never wait for the pool a connection that is
/// kept. Kept ones stand beside the pool where it is the adapter's own, and are taken out of it where it is the host's.
/// </summary>
/// <param name="pool">The pool.</param>
/// <param name="apart">Connections beside the pool; null: there is nothing but the pool.</param>
/// <param name="place">Where they lead, for messages.</param>
internal sealed class PostgreSqlConnections(NpgsqlDataSource pool, NpgsqlDataSource? apart, Place place)
{
    /// <summary>
    /// Ends the session that carries it out if that only reads because of a setting that a session which began now
    /// would not have. A pooler keeps such a session when its client has left. Whatever only reads for a reason that
    /// lasts is left alone.
    /// </summary>
    private const string EndIfStale = """
        select pg_terminate_backend(pg_backend_pid()) from pg_settings s
        where s.name = 'default_transaction_read_only' and s.setting = 'on'
            and (s.source = 'session' or s.source in ('database', 'user', 'database user') and not exists (
                select 1 from pg_db_role_setting d cross join unnest(d.setconfig) as c (setting)
                where d.setdatabase in (0, (select oid from pg_database where datname = current_database()))
                    and d.setrole in (0, (select oid from pg_roles where rolname = session_user))
                    and split_part(c.setting, '=', 1) = s.name and split_part(c.setting, '=', 2)::boolean))
        """;

    private const int MostStale = 100;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private int _kept;
    private int _isEnding;

    /// <summary>A connection of the pool.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        Opening.OpenAsync(pool, place, cancellationToken);

    /// <summary>A connection that is kept; <see cref="Keep"/> has counted it.</summary>
    public ValueTask<NpgsqlConnection> OpenKeptAsync(CancellationToken cancellationToken) =>
        Opening.OpenAsync(apart ?? pool, place, cancellationToken);

    /// <summary>One connection more that is kept.</summary>
    public PostgreSqlConnections Keep()
    {
        _kept++;
        return this;
    }

    /// <summary>What would start and never work is refused.</summary>
    public void ThrowIfUnfit() => PoolRules.ThrowIfUnfit(pool.ConnectionString, apart is null ? _kept : 0);

    /// <summary>
    /// Closes the sessions that wait in the pool, and those in use when they come back: they may be like the one that
    /// was found unfit, and of those of a time in which one could only read each would fail once more. What a pooler
    /// between keeps of that time ends itself.
    /// </summary>
    /// <param name="fault">What has shown it: <see cref="FaultKind.Unfit"/>.</param>
    public async ValueTask RenewAsync(Exception fault)
    {
        pool.Clear();
        if (fault is not PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }
            || Interlocked.Exchange(ref _isEnding, 1) == 1)
        {
            return;
        }

        try
        {
            await EndStaleAsync().ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isEnding, 0);
        }
    }

    /// <summary>
    /// Ends listening on a connection that goes back to a pool of the host's. One that listened on, with nobody to read
    /// what it hears, would in time stop the server's queue of notifications for everybody.
    /// </summary>
    public async ValueTask LeaveAsync(NpgsqlConnection connection)
    {
        if (apart is not null || connection.State != ConnectionState.Open)
        {
            return;
        }

        try
        {
            using var leave = new NpgsqlCommand("unlisten *", connection)
            {
                CommandTimeout = (int)_patience.TotalSeconds,
            };
            await leave.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The connection is broken, and so does not go back; or its server does not answer, and Npgsql breaks it.
        }
    }

    /// <summary>
    /// Each question may be answered by another session of a pooler's: until one answers that is not stale.
    /// </summary>
    private async Task EndStaleAsync()
    {
        using var patience = new CancellationTokenSource(_patience, TimeProvider.System);
        for (var ended = 0; ended < MostStale && !patience.IsCancellationRequested; ended++)
        {
            try
            {
                var connection = await OpenKeptAsync(patience.Token).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    using var end = new NpgsqlCommand(EndIfStale, connection)
                    {
                        CommandTimeout = (int)_patience.TotalSeconds,
                    };
                    await end.ExecuteNonQueryAsync(patience.Token).ConfigureAwait(false);
                    return;
                }
            }
            catch (Exception e) when (Faults.IsOfConnection(e))
            {
                // It has ended: the next one.
            }
            catch (Exception)
            {
                // It may not be asked or not be ended; or there is no time left. Then the pooler ends it when it is
                // old.
                return;
            }
        }
    }
}
