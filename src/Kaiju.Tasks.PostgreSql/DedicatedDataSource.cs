using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>The adapter's own pool and what stands beside it, where the host gave only a connection string.</summary>
internal sealed class DedicatedDataSource(
    string connectionString, PostgreSqlTasksOptions options) : IDisposable, IAsyncDisposable
{
    public NpgsqlDataSource DataSource { get; } = Build(connectionString, options.PollingOnly);

    /// <summary>
    /// For connections that are kept: whatever the pool's size, they neither wait for it nor take from it.
    /// </summary>
    public NpgsqlDataSource Apart { get; } = Build(connectionString, options.PollingOnly, isApart: true);

    /// <summary>
    /// Few connections are faster than many, and a statement is prepared once it has been used twice, unless
    /// connections are not ours for longer than a transaction. A setting that the connection string or the environment
    /// has, in whatever spelling, is kept.
    /// </summary>
    public static NpgsqlDataSource Build(string connectionString, bool isShared, bool isApart = false)
    {
        PoolRules.ThrowIfUnfit(connectionString);
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        var text = builder.ConnectionStringBuilder;
        if (!text.ShouldSerialize("No Reset On Close"))
        {
            // Nothing that we do outlives its transaction, so a connection needs no washing between two uses.
            text.NoResetOnClose = true;
        }

        // The driver prepares nothing by itself.
        if (!isShared)
        {
            Prepare(text);
        }

        if (!text.ShouldSerialize("Application Name") && !IsInEnvironment("PGAPPNAME"))
        {
            text.ApplicationName = "Kaiju.Tasks";
        }

        if (isApart)
        {
            // Each is opened once and kept; the pool's settings are those of the pool beside it.
            text.Pooling = false;
        }

        return builder.Build();
    }

    private static void Prepare(NpgsqlConnectionStringBuilder text)
    {
        if (!text.ShouldSerialize("Max Auto Prepare"))
        {
            text.MaxAutoPrepare = 100;
        }

        if (text.MaxAutoPrepare == 0)
        {
            return;
        }

        if (!text.ShouldSerialize("Auto Prepare Min Usages"))
        {
            text.AutoPrepareMinUsages = 2;
        }

        if (!text.ShouldSerialize("Options") && !IsInEnvironment("PGOPTIONS"))
        {
            // Each statement has one good plan, whatever its arguments; to plan it anew each time would cost more than
            // to carry it out. And the good one never reads a whole table: while much is queued the planner would join
            // a claim's rows that way. Where there is nothing but a scan, as of the few executors, its price on paper
            // must not set off the server's compiler.
            text.Options = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off "
                + LockTimeout.Option;
        }
    }

    private static bool IsInEnvironment(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 };

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
