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
    public static int Version { get; } = Migration.Load(
        typeof(SqliteSchema).Assembly, new Dictionary<string, string>()).Count;

    /// <summary>
    /// Creates the tables or migrates them to this package's version. If they are current, or newer and allow this
    /// package, it changes nothing.
    /// </summary>
    /// <param name="options">The file and the names of the tables.</param>
    /// <param name="cancellationToken">Cancels before the next migration; earlier ones stay applied.</param>
    /// <returns>The number of migrations that were applied.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="TaskSchemaException">
    /// The tables are of a newer version that does not allow this package.
    /// </exception>
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
        var migrations = Migration.Load(typeof(SqliteSchema).Assembly, Words(options)).Skip(fromVersion)
            .Select(migration => $"{migration.Text.Trim()}\n\n{Recorded(options, migration)}\n");
        return $"begin exclusive;\n\n{VersionTable(options)}\n\n{string.Join('\n', migrations)}\ncommit;\n";
    }

    internal static int Migrate(SqliteConnection connection, SqliteTasksOptions options)
    {
        // A first look without a lock: usually there is nothing to migrate, and other processes use the file.
        if (FindVersion(connection, options) >= Version)
        {
            return 0;
        }

        SqliteFile.ThrowIfNotWritable(connection);
        Execute(connection, "begin exclusive");
        try
        {
            Execute(connection, VersionTable(options));
            var missing = Migration.Load(typeof(SqliteSchema).Assembly, Words(options))
                .Skip(FindVersion(connection, options)).ToList();
            foreach (var migration in missing)
            {
                Execute(connection, migration.Text);
                Execute(connection, Recorded(options, migration));
            }

            Execute(connection, "commit");
            return missing.Count;
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
        var version = FindVersion(connection, options);
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
            ["common_queue"] = QueueText.Of($"\"{options.TablePrefix}states\"", "s.enabled = 1"),
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

    /// <summary>The version of the tables; 0 if there are none.</summary>
    /// <exception cref="TaskSchemaException">The tables do not allow this package.</exception>
    private static int FindVersion(SqliteConnection connection, SqliteTasksOptions options)
    {
        var table = $"{options.TablePrefix}migrations";
        using var columns = connection.CreateCommand();
        columns.CommandText = "select name from pragma_table_info($name)";
        columns.Parameters.AddWithValue("$name", table);
        List<string> names;
        using (var rows = columns.ExecuteReader())
        {
            names = rows.ReadAll(row => row.GetString(0));
        }

        if (names.Count == 0)
        {
            return 0;
        }

        using var versions = connection.CreateCommand();
        versions.CommandText = $"select version, {(names.Contains("oldest") ? "oldest" : "null")} from \"{table}\"";
        using var applied = versions.ExecuteReader();
        return AppliedMigration.VersionOf(
            applied.ReadAll(row => new AppliedMigration(row.GetInt32(0), row.TextOrNull(1))), Version);
    }

    /// <summary>
    /// Creates the table of versions, and writes an existing one anew: SQLite cannot add a column only if it is
    /// missing. In a table without the column <c>oldest</c> the name means the null beside it.
    /// </summary>
    private static string VersionTable(SqliteTasksOptions options)
    {
        const string Columns =
            "(version integer primary key, applied text not null default current_timestamp, oldest text) strict;";
        var (table, next) = ($"\"{options.TablePrefix}migrations\"", $"\"{options.TablePrefix}migrations_next\"");
        return $"""
            create table if not exists {table} {Columns}
            create table {next} {Columns}
            insert into {next} select m.version, m.applied,
                (select oldest from {table} o where o.version = m.version) from {table} m, (select null as oldest);
            drop table {table};
            alter table {next} rename to {table};
            """;
    }

    private static string Recorded(SqliteTasksOptions options, Migration migration) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"insert into \"{options.TablePrefix}migrations\" (version, oldest) "
                + $"values ({migration.Version}, '{migration.OldestText}');");

    private static void Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    [GeneratedRegex(@"^[a-z_][a-z0-9_]{0,30}\z")]
    private static partial Regex Name();
}
