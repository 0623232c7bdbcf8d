using Kaiju.Tasks;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers a SQLite file as the store of tasks.</summary>
public static class KaijuTasksSqliteExtensions
{
    /// <summary>
    /// Keeps tasks in a SQLite file, which any number of processes of one machine may share. The tables are created at
    /// the first use (<see cref="SqliteTasksOptions.MigrateAtStart"/>).
    /// </summary>
    /// <param name="builder">The builder that <c>AddKaijuTasks()</c> returned.</param>
    /// <param name="connectionString">The connection string, which names a file: <c>Data Source=tasks.db</c>.</param>
    /// <param name="configure">The function that sets options. Default: null, for the default options.</param>
    /// <exception cref="ArgumentException">
    /// When the host starts: an option is out of its bounds, or the connection string is invalid.
    /// </exception>
    public static KaijuTasksBuilder UseSqlite(
        this KaijuTasksBuilder builder, string connectionString, Action<SqliteTasksOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        return builder.UseSqlite(_ => connectionString, configure);
    }

    /// <summary>
    /// Keeps tasks in a SQLite file whose connection string is known when the host starts, for example from its
    /// configuration: <c>services => services.GetRequiredService&lt;IConfiguration&gt;()["Tasks"]!</c>.
    /// </summary>
    /// <param name="builder">The builder that <c>AddKaijuTasks()</c> returned.</param>
    /// <param name="connectionString">
    /// The function that returns a connection string that names a file; called once.
    /// </param>
    /// <param name="configure">The function that sets options. Default: null, for the default options.</param>
    /// <exception cref="ArgumentException">
    /// When the host starts: an option is out of its bounds, or the connection string is invalid.
    /// </exception>
    public static KaijuTasksBuilder UseSqlite(
        this KaijuTasksBuilder builder,
        Func<IServiceProvider, string> connectionString,
        Action<SqliteTasksOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connectionString);
        var services = builder.Services;
        services.AddOptions<SqliteTasksOptions>().Configure<IServiceProvider>(
            (options, provider) => options.ConnectionString = connectionString(provider));
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddSingleton(provider =>
            ActivatorUtilities.CreateInstance<SqliteTaskStore>(
                provider, provider.GetRequiredService<IOptions<SqliteTasksOptions>>().Value));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SqliteStarter>());
        return builder.UseStore(
            nameof(UseSqlite),
            provider => provider.GetRequiredService<SqliteTaskStore>(),
            provider => new RelationalTaskQueue(
                provider.GetRequiredService<SqliteTaskStore>(), provider.GetRequiredService<TimeProvider>()));
    }
}
