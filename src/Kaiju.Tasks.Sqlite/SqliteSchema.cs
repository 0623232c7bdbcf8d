using System.Globalization;
using System.Text.RegularExpressions;
using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// The tables of the store and their versions. Migrations only go forward. Each runs once, under the file's exclusive
/// lock.
/// </summary>
public static partial class SqliteSchema
{
    /// <summary>A statement runs for each row by itself.</summary>
    private static readonly IReadOnlyDictionary<string, string> _columns =
        new ColumnWords(
            (name, _) => $"@{name}",
            name => $"@{name}",
            "json_extract(t.definition, '$.commands[' || iif(s.state = 0, 0, s.stage) || '].method')").All();

    /// <summary>The version that this package reads and writes.</summary>
    public static int Version { get; } = SqlTexts.LoadMigrations(
        typeof(SqliteSchema).Assembly, new Dictionary<string, string>()).Count;

    /// <summary>
    /// Creates the tables or migrates them to this package's version; if they are current, it changes nothing.
    /// </summary>
    /// <param name="options">The file and the names of the tables.</param>
    /// <param name="cancellationToken">Cancels before the next migration; earlier ones stay applied.</param>
    /// <returns>The number of migrations that were applied.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="TaskSchemaException">The tables are of a newer version than this package supports.</exception>
    public static async Task<int> MigrateAsync(
        SqliteTasksOptions options, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(options);
        cancellationToken.ThrowIfCancellationRequested();
        return await LockWait.UseAsync(
            () =>
            {
                using var connection = SqliteFile.Open(options);
                return Migrate(connection, options);
            },
            options,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The migrations as one SQL script, to run with other tools on an empty file or on one with an older version.
    /// </summary>
    /// <param name="options">The names of the tables; the file does not matter.</param>
    /// <param name="fromVersion">The version that the file has. Default: 0, for none.</param>
    public static string GetScript(SqliteTasksOptions options, int fromVersion = 0)
    {
        ThrowIfInvalidNames(options);
        ArgumentOutOfRangeException.ThrowIfNegative(fromVersion);
        var migrations = SqlTexts.LoadMigrations(typeof(SqliteSchema).Assembly, Words(options)).Index()
            .Skip(fromVersion)
            .Select(migration => $"{migration.Item.Trim()}\n\n{Recorded(options, migration.Index + 1)}\n");
        return $"begin exclusive;\n\n{VersionTable(options)}\n\n{string.Join('\n', migrations)}\ncommit;\n";
    }

    internal static int Migrate(SqliteConnection connection, SqliteTasksOptions options)
    {
        // A first look without a lock: usually there is nothing to migrate, and other processes use the file.
        var current = FindVersion(connection, options) ?? 0;
        ThrowIfNewer(current);
        if (current == Version)
        {
            return 0;
        }

        SqliteFile.ThrowIfNotWritable(connection);
        Execute(connection, "begin exclusive");
        try
        {
            Execute(connection, VersionTable(options));
            var from = FindVersion(connection, options) ?? 0;
            ThrowIfNewer(from);
            foreach (var (index, migration) in SqlTexts.LoadMigrations(typeof(SqliteSchema).Assembly, Words(options))
                .Index().Skip(from))
            {
                Execute(connection, migration);
                Execute(connection, Recorded(options, index + 1));
            }

            Execute(connection, "commit");
            return Version - from;
        }
        catch
        {
            if (raw.sqlite3_get_autocommit(connection.Handle) == 0)
            {
                Execute(connection, "rollback");
            }

            throw;
        }
    }

    internal static void ThrowIfNotCurrent(SqliteConnection connection, SqliteTasksOptions options)
    {
        var version = FindVersion(connection, options) ?? 0;
        ThrowIfNewer(version);
        if (version < Version)
        {
            throw new TaskSchemaException(
                $"The tables with the prefix \"{options.TablePrefix}\" are of version {version}; this package needs "
                + $"{Version}. "
                + $"Set {nameof(SqliteTasksOptions.MigrateAtStart)}, call "
                + $"{nameof(SqliteSchema)}.{nameof(MigrateAsync)}, or run "
                + $"{nameof(SqliteSchema)}.{nameof(GetScript)}.");
        }
    }

    internal static void ThrowIfInvalid(SqliteTasksOptions options)
    {
        ThrowIfInvalidNames(options);
        ThrowIfOutside(
            nameof(options.ChangePollInterval),
            options.ChangePollInterval,
            TimeSpan.FromMilliseconds(10),
            TimeSpan.FromMinutes(1));
        if (!Enum.IsDefined(options.Durability))
        {
            throw new ArgumentException(
                $"{nameof(options.Durability)} is {(int)options.Durability}; it must be Full or Normal.",
                nameof(options));
        }

        SqliteFile.ThrowIfInvalid(options);
        var isOfText = SqliteFile.FindTimeout(options.ConnectionString) == options.BusyTimeout;
        ThrowIfOutside(
            isOfText ? $"{nameof(options.BusyTimeout)}, from the connection string," : nameof(options.BusyTimeout),
            options.BusyTimeout,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromMinutes(5));
    }

    internal static IReadOnlyDictionary<string, string> Words(SqliteTasksOptions options) =>
        new Dictionary<string, string>(_columns)
        {
            ["hold"] = HoldText.Of($"\"{options.TablePrefix}holds\"", "@app", "@method"),
            ["prefix"] = options.TablePrefix,
        };

    private static void ThrowIfInvalidNames(SqliteTasksOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Name().IsMatch(options.TablePrefix))
        {
            throw new ArgumentException(
                $"{nameof(options.TablePrefix)} is \"{options.TablePrefix}\"; it must match {Name()}.",
                nameof(options));
        }
    }

    private static void ThrowIfOutside(string option, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            throw new ArgumentException($"{option} is {value}; it must be from {least} to {most}.");
        }
    }

    private static void ThrowIfNewer(int version)
    {
        if (version > Version)
        {
            throw new TaskSchemaException(
                $"The tables are of version {version}; this package supports up to {Version}. Use the package that "
                    + "migrated them, or a newer one.");
        }
    }

    private static int? FindVersion(SqliteConnection connection, SqliteTasksOptions options)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from sqlite_schema where type = 'table' and name = $name";
        command.Parameters.AddWithValue("$name", $"{options.TablePrefix}migrations");
        if ((long)command.ExecuteScalar()! == 0)
        {
            return null;
        }

        using var version = connection.CreateCommand();
        version.CommandText = $"select coalesce(max(version), 0) from \"{options.TablePrefix}migrations\"";
        return (int)(long)version.ExecuteScalar()!;
    }

    private static string VersionTable(SqliteTasksOptions options) =>
        $"create table if not exists \"{options.TablePrefix}migrations\" (version integer primary key, applied text "
            + "not null default current_timestamp) strict;";

    private static string Recorded(SqliteTasksOptions options, int version) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"insert into \"{options.TablePrefix}migrations\" (version) values ({version});");

    private static void Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    [GeneratedRegex(@"^[a-z_][a-z0-9_]{0,30}\z")]
    private static partial Regex Name();
}
