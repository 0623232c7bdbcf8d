using System.Globalization;
using System.Text.RegularExpressions;
using Kaiju.Tasks.Relational;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// The tables of the store and their versions. Migrations only go forward. Each runs once, in one transaction under an
/// advisory lock. It waits for a table at most two seconds at a time, and tries again for five minutes.
/// </summary>
public static partial class PostgreSqlSchema
{
    // "kaiju" in ASCII, to avoid collisions with other locks; the second half is a hash of the schema.
    private const int LockClass = 0x6B61696A;
    private const int LeastServer = 13;

    /// <summary>A statement takes many rows at once, each column as an array, under the name n.</summary>
    private static readonly IReadOnlyDictionary<string, string> _columns = new ColumnWords(
        (name, type) => $"@{name}::{PostgreSqlTypes.NameOf(type)}[]",
        name => $"n.{name}",
        "t.definition::json -> 'commands' -> case s.state when 0 then 0 else s.stage end ->> 'method'").All();

    /// <summary>The version that this package reads and writes.</summary>
    public static int Version { get; } = Migration.Load(
        typeof(PostgreSqlSchema).Assembly, new Dictionary<string, string>()).Count;

    /// <summary>
    /// Creates the tables or migrates them to this package's version. If they are current, or newer and allow this
    /// package, it changes nothing and needs no right to create.
    /// </summary>
    /// <param name="dataSource">The database.</param>
    /// <param name="options">The names of the schema. Default: null, for the default names.</param>
    /// <param name="cancellationToken">Cancels the migration; uncommitted changes are rolled back.</param>
    /// <returns>The number of migrations that were applied.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="TaskSchemaException">
    /// The tables are of a newer version that does not allow this package, other transactions hold them for too long,
    /// the role may not create them, or the server's version or encoding is not supported.
    /// </exception>
    public static async Task<int> MigrateAsync(
        NpgsqlDataSource dataSource,
        PostgreSqlTasksOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        options ??= new PostgreSqlTasksOptions();
        ThrowIfInvalid(options);
        return await MigrateAsync(
            dataSource,
            options,
            MigrationPatience.Default,
            NullLogger.Instance,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The migrations as one SQL script, to run with other tools on a database without the tables or with an older
    /// version.
    /// </summary>
    /// <param name="options">The names of the schema. Default: null, for the default names.</param>
    /// <param name="fromVersion">The version that the database has. Default: 0, for none.</param>
    public static string GetScript(PostgreSqlTasksOptions? options = null, int fromVersion = 0)
    {
        options ??= new PostgreSqlTasksOptions();
        ThrowIfInvalid(options);
        ArgumentOutOfRangeException.ThrowIfNegative(fromVersion);
        var migrations = Migration.Load(typeof(PostgreSqlSchema).Assembly, Words(options, "")).Skip(fromVersion)
            .Select(migration => $"{migration.Text.Trim()}\n\n{Recorded(options, migration)}\n");
        var limit = $"set local lock_timeout = {MigrationPatience.Default.Try.TotalMilliseconds};";
        return $"begin;\n\n{Turn(options)}\n{limit}\n{VersionTable(options)}\n\n{string.Join('\n', migrations)}\n"
            + "commit;\n";
    }

    /// <inheritdoc cref="MigrateAsync(NpgsqlDataSource, PostgreSqlTasksOptions?, CancellationToken)"/>
    internal static Task<int> MigrateAsync(
        NpgsqlDataSource dataSource,
        PostgreSqlTasksOptions options,
        MigrationPatience patience,
        ILogger logger,
        CancellationToken cancellationToken) => UseAsync(
            dataSource,
            options,
            (connection, place) => MigrateAsync(connection, options, place, patience, logger, cancellationToken),
            cancellationToken);

    internal static async Task ThrowIfNotCurrentAsync(
        NpgsqlDataSource dataSource, PostgreSqlTasksOptions options, CancellationToken cancellationToken)
    {
        var version = await UseAsync(
            dataSource,
            options,
            (connection, _) => LookAsync(connection, options, cancellationToken),
            cancellationToken).ConfigureAwait(false);
        if (version < Version)
        {
            throw new TaskSchemaException(
                $"The tables in the schema \"{options.Schema}\" are of version {version}; this package needs "
                + $"{Version}. "
                + $"Set {nameof(PostgreSqlTasksOptions.MigrateAtStart)}, call "
                + $"{nameof(PostgreSqlSchema)}.{nameof(MigrateAsync)}, or run "
                + $"{nameof(PostgreSqlSchema)}.{nameof(GetScript)}.");
        }
    }

    internal static void ThrowIfInvalid(PostgreSqlTasksOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Name().IsMatch(options.Schema))
        {
            throw new ArgumentException(
                $"{nameof(options.Schema)} is \"{options.Schema}\"; it must match {Name()}.", nameof(options));
        }

        if (options.KeepAliveInterval < TimeSpan.FromSeconds(1) || options.KeepAliveInterval > TimeSpan.FromMinutes(10))
        {
            throw new ArgumentException(
                $"{nameof(options.KeepAliveInterval)} is {options.KeepAliveInterval}; it must be from 00:00:01 to "
                    + "00:10:00.",
                nameof(options));
        }
    }

    /// <summary>The words of the statements.</summary>
    /// <param name="options">The names of the schema.</param>
    /// <param name="now">The store's time as SQL.</param>
    /// <param name="isLimited">True if the statements limit their lock waits because their connections do not.</param>
    internal static IReadOnlyDictionary<string, string> Words(
        PostgreSqlTasksOptions options, string now, bool isLimited = false) =>
        new Dictionary<string, string>(LockTimeout.Words(isLimited).Concat(_columns))
        {
            ["common_queue"] = QueueText.Of($"\"{options.Schema}\".states", "s.enabled"),
            ["hold"] = HoldText.Of($"\"{options.Schema}\".holds", "p.app", "p.method"),
            ["schema"] = $"\"{options.Schema}\"",
            ["now"] = now,
        };

    /// <summary>
    /// Uses a connection. Exceptions of the server name the place, and advise on a missing right.
    /// </summary>
    private static async Task<T> UseAsync<T>(
        NpgsqlDataSource dataSource,
        PostgreSqlTasksOptions options,
        Func<NpgsqlConnection, Place, Task<T>> use,
        CancellationToken cancellationToken)
    {
        var place = new Place(dataSource.ConnectionString, options.Schema);
        var connection = await Opening.OpenAsync(dataSource, place, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                return await use(connection, place).ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                throw new TaskSchemaException(
                    $"The role \"{connection.UserName}\" may not read, create or migrate the tables in {place}: "
                    + $"{e.SqlState}: {e.MessageText}. "
                    + $"Let a role with these rights run {nameof(PostgreSqlSchema)}.{nameof(GetScript)}() or call "
                    + $"{nameof(PostgreSqlSchema)}.{nameof(MigrateAsync)}, grant this role the rights that it needs, "
                    + $"and set {nameof(PostgreSqlTasksOptions.MigrateAtStart)} to false.",
                    e);
            }
            catch (Exception e) when (place.IsWanted(e))
            {
                throw place.Located(e);
            }
        }
    }

    private static async Task<int> MigrateAsync(
        NpgsqlConnection connection,
        PostgreSqlTasksOptions options,
        Place place,
        MigrationPatience patience,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        await ThrowIfUnfitAsync(connection, cancellationToken).ConfigureAwait(false);

        // A first look without a lock, with the right to read only: usually there is nothing to migrate.
        if (await LookAsync(connection, options, cancellationToken).ConfigureAwait(false) >= Version)
        {
            return 0;
        }

        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var locks = new MigrationLocks(transaction, place, patience, logger);
            await locks.LimitAsync(cancellationToken).ConfigureAwait(false);
            await locks.RepeatAsync(
                "another process has been migrating them",
                () => ExecuteAsync(connection, Turn(options), cancellationToken),
                cancellationToken).ConfigureAwait(false);
            var from = await FindVersionAsync(connection, options, cancellationToken).ConfigureAwait(false);
            var missing = Migration.Load(typeof(PostgreSqlSchema).Assembly, Words(options, "")).Skip(from).ToList();
            if (missing.Count > 0)
            {
                await locks.RepeatAsync(
                    "another transaction has held one of the tables",
                    () => ApplyAsync(connection, options, missing, cancellationToken),
                    cancellationToken).ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return missing.Count;
        }
    }

    private static async Task ApplyAsync(
        NpgsqlConnection connection,
        PostgreSqlTasksOptions options,
        IEnumerable<Migration> migrations,
        CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, VersionTable(options), cancellationToken).ConfigureAwait(false);
        foreach (var migration in migrations)
        {
            await ExecuteAsync(connection, migration.Text, cancellationToken).ConfigureAwait(false);
            await ExecuteAsync(connection, Recorded(options, migration), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task ThrowIfUnfitAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (connection.PostgreSqlVersion.Major < LeastServer)
        {
            throw new TaskSchemaException(
                $"The server is PostgreSQL {connection.PostgreSqlVersion}; it must be {LeastServer} or later.");
        }

        using var command = new NpgsqlCommand("show server_encoding", connection);
        if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not "UTF8" and var encoding)
        {
            throw new TaskSchemaException(
                $"The database's encoding is {encoding}; it must be UTF8, so that it can store every text.");
        }
    }

    /// <summary>
    /// Finds the version, and waits for another process that is recording one. It runs in a transaction, since only
    /// there the timeout of lock waits can be lifted without leaving the setting in the session.
    /// </summary>
    private static async Task<int> LookAsync(
        NpgsqlConnection connection, PostgreSqlTasksOptions options, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await LockTimeout.LiftAsync(connection, cancellationToken).ConfigureAwait(false);
            return await FindVersionAsync(connection, options, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<int> FindVersionAsync(
        NpgsqlConnection connection, PostgreSqlTasksOptions options, CancellationToken cancellationToken)
    {
        using var exists = new NpgsqlCommand(
            "select exists (select 1 from pg_tables where schemaname = $1 and tablename = 'migrations')", connection)
        {
            Parameters = { new NpgsqlParameter { Value = options.Schema } },
        };
        if (await exists.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
        {
            return 0;
        }

        // As JSON, since the table of an early version has no column "oldest".
        using var versions = new NpgsqlCommand(
            $"select version, to_jsonb(m) ->> 'oldest' from \"{options.Schema}\".migrations m", connection);
        var rows = await versions.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (rows.ConfigureAwait(false))
        {
            return AppliedMigration.VersionOf(
                rows.ReadAll(row => new AppliedMigration(row.GetInt32(0), row.TextOrNull(1))), Version);
        }
    }

    /// <summary>Waits for another process that migrates.</summary>
    private static string Turn(PostgreSqlTasksOptions options) => string.Create(
        CultureInfo.InvariantCulture, $"select pg_advisory_xact_lock({LockClass}, hashtext('{options.Schema}'));");

    private static string VersionTable(PostgreSqlTasksOptions options) =>
        $"""
        create schema if not exists "{options.Schema}";
        create table if not exists "{options.Schema}".migrations (
            version integer primary key, applied timestamptz not null default now());
        alter table "{options.Schema}".migrations add column if not exists oldest text;
        """;

    private static string Recorded(PostgreSqlTasksOptions options, Migration migration) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"insert into \"{options.Schema}\".migrations (version, oldest) "
                + $"values ({migration.Version}, '{migration.OldestText}');");

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    [GeneratedRegex(@"^[a-z_][a-z0-9_]{0,30}\z")]
    private static partial Regex Name();
}
