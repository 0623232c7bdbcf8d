using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// The adapter's own pool, and its dedicated connections beside it, where the host gave only a connection string.
/// </summary>
internal sealed class DedicatedDataSource(
    string connectionString, PostgreSqlTasksOptions options) : IDisposable, IAsyncDisposable
{
    public NpgsqlDataSource DataSource { get; } = Build(connectionString, options.PollingOnly);

    /// <summary>
    /// The source of dedicated connections, which neither wait for the pool nor count in it.
    /// </summary>
    public NpgsqlDataSource Apart { get; } = Build(connectionString, options.PollingOnly, isApart: true);

    /// <summary>
    /// Builds a data source. The pool is small, since few connections are faster than many. A statement is prepared at
    /// its second use, unless a pooler shares sessions. A setting in the connection string or the environment is kept,
    /// in any spelling.
    /// </summary>
    public static NpgsqlDataSource Build(string connectionString, bool isShared, bool isApart = false)
    {
        PoolRules.ThrowIfUnfit(connectionString);
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        var text = builder.ConnectionStringBuilder;
        if (!text.ShouldSerialize("No Reset On Close"))
        {
            // The store leaves no state in a session beyond a transaction, so connections need no reset between two
            // uses.
            text.NoResetOnClose = true;
        }

        // The driver prepares no statements by default.
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
            // Each connection is opened once and kept. The pool's settings apply to the pool beside it.
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
            // Each statement has one good plan for all arguments; planning it at each use would cost more than running
            // it. That plan never scans a whole table; with many queued tasks the planner would join the claimed rows
            // that way. Where only a scan is possible, as of the few executors, its high estimate must not start the
            // JIT compiler.
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
