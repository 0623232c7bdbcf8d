using Kaiju.Tasks;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.PostgreSql;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers PostgreSQL as the store of tasks.</summary>
public static class KaijuTasksPostgreSqlExtensions
{
    /// <summary>
    /// Keeps tasks in a PostgreSQL database, which any number of processes and machines may share. The tables are
    /// created at the first use (<see cref="PostgreSqlTasksOptions.MigrateAtStart"/>). The store has a connection pool
    /// of its own.
    /// </summary>
    /// <param name="builder">The builder that <c>AddKaijuTasks()</c> returned.</param>
    /// <param name="connectionString">The connection string of Npgsql: <c>Host=…;Database=…;Username=…</c>.</param>
    /// <param name="configure">The function that sets options. Default: null, for the default options.</param>
    /// <exception cref="ArgumentException">
    /// When the host starts: an option is out of its bounds, or the connection string is invalid, names no <c>Host</c>
    /// or contains <c>Multiplexing=true</c>.
    /// </exception>
    public static KaijuTasksBuilder UsePostgreSql(
        this KaijuTasksBuilder builder, string connectionString, Action<PostgreSqlTasksOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        return builder.UsePostgreSql(_ => connectionString, configure);
    }

    /// <summary>
    /// Keeps tasks in a PostgreSQL database whose connection string is known when the host starts, for example from its
    /// configuration: <c>services => services.GetRequiredService&lt;IConfiguration&gt;()["Tasks"]!</c>.
    /// </summary>
    /// <param name="builder">The builder that <c>AddKaijuTasks()</c> returned.</param>
    /// <param name="connectionString">The function that returns a connection string of Npgsql; called once.</param>
    /// <param name="configure">The function that sets options. Default: null, for the default options.</param>
    /// <exception cref="ArgumentException">
    /// When the host starts: an option is out of its bounds, or the connection string is invalid, names no <c>Host</c>
    /// or contains <c>Multiplexing=true</c>.
    /// </exception>
    public static KaijuTasksBuilder UsePostgreSql(
        this KaijuTasksBuilder builder,
        Func<IServiceProvider, string> connectionString,
        Action<PostgreSqlTasksOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connectionString);
        builder.Services.TryAddSingleton(
            provider => new DedicatedDataSource(connectionString(provider), Options(provider)));
        return Use(
            builder,
            provider => provider.GetRequiredService<DedicatedDataSource>().DataSource,
            provider => provider.GetRequiredService<DedicatedDataSource>().Apart,
            configure);
    }

    /// <summary>
    /// Keeps tasks in a PostgreSQL database for which the host already has a data source, and shares its pool. The
    /// store permanently takes connections from it: three, or two with <see
    /// cref="PostgreSqlTasksOptions.PollingOnly"/>.
    /// </summary>
    /// <param name="builder">The builder that <c>AddKaijuTasks()</c> returned.</param>
    /// <param name="dataSource">
    /// The data source; the caller disposes of it, after the host. Its <c>Maximum Pool Size</c> must be at least 4 (3
    /// with <see cref="PostgreSqlTasksOptions.PollingOnly"/>), plus the connections that other code uses at the same
    /// time.
    /// </param>
    /// <param name="configure">The function that sets options. Default: null, for the default options.</param>
    /// <exception cref="ArgumentException">
    /// When the host starts: an option is out of its bounds, the pool is too small, or the connection string contains
    /// <c>Multiplexing=true</c>.
    /// </exception>
    public static KaijuTasksBuilder UsePostgreSql(
        this KaijuTasksBuilder builder, NpgsqlDataSource dataSource, Action<PostgreSqlTasksOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        return builder.UsePostgreSql(_ => dataSource, configure);
    }

    /// <summary>
    /// Keeps tasks in a PostgreSQL database whose data source is a service of the host, and shares its pool:
    /// <c>services => services.GetRequiredService&lt;NpgsqlDataSource&gt;()</c>.
    /// </summary>
    /// <param name="builder">The builder that <c>AddKaijuTasks()</c> returned.</param>
    /// <param name="dataSource">
    /// The function that returns the data source; called once. Its pool must be as large as the overload with a data
    /// source requires. The owner of the data source disposes of it.
    /// </param>
    /// <param name="configure">The function that sets options. Default: null, for the default options.</param>
    /// <exception cref="ArgumentException">
    /// When the host starts: an option is out of its bounds, the pool is too small, or the connection string contains
    /// <c>Multiplexing=true</c>.
    /// </exception>
    public static KaijuTasksBuilder UsePostgreSql(
        this KaijuTasksBuilder builder,
        Func<IServiceProvider, NpgsqlDataSource> dataSource,
        Action<PostgreSqlTasksOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dataSource);
        return Use(builder, dataSource, _ => null, configure);
    }

    private static KaijuTasksBuilder Use(
        KaijuTasksBuilder builder,
        Func<IServiceProvider, NpgsqlDataSource> dataSource,
        Func<IServiceProvider, NpgsqlDataSource?> apart,
        Action<PostgreSqlTasksOptions>? configure)
    {
        var services = builder.Services;
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddSingleton(provider => new PostgreSqlTaskStore(
            dataSource(provider),
            Options(provider),
            provider.GetRequiredService<LifecycleRules>(),
            provider.GetRequiredService<IdSource>(),
            provider.GetRequiredService<ILogger<PostgreSqlTaskStore>>(),
            apart: apart(provider),
            outages: provider.GetRequiredService<StoreOutages>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PostgreSqlStarter>());
        return builder.UseStore(
            nameof(UsePostgreSql),
            provider => provider.GetRequiredService<PostgreSqlTaskStore>(),
            provider => new RelationalTaskQueue(
                provider.GetRequiredService<PostgreSqlTaskStore>(), provider.GetRequiredService<TimeProvider>()));
    }

    private static PostgreSqlTasksOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<PostgreSqlTasksOptions>>().Value;
}
