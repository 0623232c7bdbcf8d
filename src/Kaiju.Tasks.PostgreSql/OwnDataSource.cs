using System.Data.Common;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>The adapter's own pool and what stands beside it, where the host gave only a connection string.</summary>
internal sealed class OwnDataSource(string connectionString, PostgreSqlTasksOptions options) : IDisposable, IAsyncDisposable
{
    public NpgsqlDataSource DataSource { get; } = Build(connectionString, options.PollingOnly);

    /// <summary>For connections that are kept: whatever the pool's size, they neither wait for it nor take from it.</summary>
    public NpgsqlDataSource Apart { get; } = Build(connectionString, options.PollingOnly, isApart: true);

    /// <summary>
    /// Few connections are faster than many, and a statement is prepared once it has been used twice, unless connections are not ours for
    /// longer than a transaction. What the connection string says itself holds.
    /// </summary>
    public static NpgsqlDataSource Build(string connectionString, bool isShared, bool isApart = false)
    {
        PoolRules.ThrowIfUnfit(connectionString, 0);
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        var text = builder.ConnectionStringBuilder;
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };

        // Nothing that we do outlives its transaction, so a connection needs no washing between two uses.
        text.NoResetOnClose = true;
        if (isShared)
        {
            text.MaxAutoPrepare = 0;
        }
        else if (!given.ContainsKey("Max Auto Prepare"))
        {
            text.MaxAutoPrepare = 100;
            text.AutoPrepareMinUsages = 2;
            if (!given.ContainsKey("Options"))
            {
                // Each statement has one good plan, whatever its arguments; to plan it anew each time would cost more than to carry it out.
                // And the good one never reads a whole table: while much is queued the planner would join a claim's rows that way. Where there is
                // nothing but a scan, as of the few executors, its price on paper must not set off the server's compiler.
                text.Options = $"-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off {LockTimeout.Option}";
            }
        }

        if (!given.ContainsKey("Application Name"))
        {
            text.ApplicationName = "Kaiju.Tasks";
        }

        if (isApart)
        {
            text.Pooling = false;
        }

        return builder.Build();
    }

    public void Dispose()
    {
        Apart.Dispose();
        DataSource.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await Apart.DisposeAsync().ConfigureAwait(false);
        await DataSource.DisposeAsync().ConfigureAwait(false);
    }
}
