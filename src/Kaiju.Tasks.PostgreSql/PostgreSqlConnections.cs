using System.Data;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// The source of the store's connections: a pool, and dedicated connections for work that must never wait for the pool.
/// Dedicated ones are opened beside the adapter's own pool; where the pool is the host's, they are taken from it.
/// </summary>
/// <param name="pool">The pool.</param>
/// <param name="apart">The source of connections beside the pool; null if there is only the pool.</param>
/// <param name="place">The place of the tasks, for messages.</param>
internal sealed class PostgreSqlConnections(NpgsqlDataSource pool, NpgsqlDataSource? apart, Place place)
{
    /// <summary>
    /// Ends its own session if the session is read-only because of a setting that a new session would not have. A
    /// pooler keeps such a session after its client has left. A session that is read-only for a lasting reason is not
    /// ended. See docs/decisions/0012.
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

    /// <summary>Opens a connection of the pool.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        Opening.OpenAsync(pool, place, cancellationToken);

    /// <summary>Opens a dedicated connection, which <see cref="Keep"/> has counted.</summary>
    public ValueTask<NpgsqlConnection> OpenKeptAsync(CancellationToken cancellationToken) =>
        Opening.OpenAsync(apart ?? pool, place, cancellationToken);

    /// <summary>Counts one more dedicated connection.</summary>
    public PostgreSqlConnections Keep()
    {
        _kept++;
        return this;
    }

    /// <summary>Refuses a pool with which the store would start but never work.</summary>
    public void ThrowIfUnfit() => PoolRules.ThrowIfUnfit(pool.ConnectionString, apart is null ? _kept : 0);

    /// <summary>
    /// Closes the sessions of the pool: idle ones at once, those in use when they come back. They may be as unfit as
    /// the one that failed; each session from a read-only time would fail once more. A pooler's stale sessions end
    /// themselves. See docs/decisions/0012.
    /// </summary>
    /// <param name="fault">The fault that revealed it, of the kind <see cref="FaultKind.Unfit"/>.</param>
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
    /// Stops listening on a connection before it returns to the host's pool. Otherwise it would collect notifications
    /// that are never read, and would in time block the server's queue of notifications for all.
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
            // The connection is broken and does not return to the pool; or its server does not answer, and Npgsql
            // breaks it.
        }
    }

    /// <summary>
    /// Ends stale sessions of a pooler one by one, until a session answers that is not stale.
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
                // The session has ended: try the next one.
            }
            catch (Exception)
            {
                // Not allowed, not possible, or no time left. Then the pooler ends the session when it is old.
                return;
            }
        }
    }
}
