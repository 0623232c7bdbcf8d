using System.Globalization;
using System.Runtime.ExceptionServices;
using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// Opens the file that a connection string names. A file that can never hold tasks is refused with its path and the
/// reason.
/// </summary>
internal static class SqliteFile
{
    private const string Advice =
        "it must, such as \"Data Source=tasks.db\". To keep tasks in memory, do not call UseSqlite.";

    private static readonly ConnectionText<SqliteConnectionStringBuilder> _text =
        new($"{nameof(SqliteTasksOptions)}.{nameof(SqliteTasksOptions.ConnectionString)}", "Microsoft.Data.Sqlite");

    /// <summary>Refuses a connection string that is invalid in itself.</summary>
    public static void ThrowIfInvalid(SqliteTasksOptions options)
    {
        var connection = _text.Read(options.ConnectionString);
        if (connection.Mode is SqliteOpenMode.Memory or SqliteOpenMode.ReadOnly
            || connection.DataSource.Trim() is "" or ":memory:")
        {
            throw Unnamed(options);
        }

        if (IsUri(connection)
            && Uri.UnescapeDataString(connection.DataSource).Contains(
                "cache=shared", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException(
                $"The connection string \"{Shown(options)}\" asks for a shared cache, whose connections lock each "
                    + "other out of tables; remove cache=shared.",
                nameof(options));
        }
    }

    /// <summary>The timeout in a connection string; null if it contains none or is invalid.</summary>
    public static TimeSpan? FindTimeout(string connectionString)
    {
        try
        {
            var text = _text.Read(connectionString);
            return text.ShouldSerialize("Default Timeout") ? TimeSpan.FromSeconds(text.DefaultTimeout) : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>
    /// Opens a connection with the settings that all connections of the store need. It never waits for a lock:
    /// <see cref="LockWait"/> does.
    /// </summary>
    /// <param name="options">The options that name the file.</param>
    /// <param name="path">
    /// The full path of the file if it is known. Then the file is not created, and a change of the current folder has
    /// no effect. Default: null, for the path in the options.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The connection string names a database that can never hold tasks.
    /// </exception>
    /// <exception cref="SqliteException">
    /// The file cannot be opened or written. The message contains its path and the reason.
    /// </exception>
    public static SqliteConnection Open(SqliteTasksOptions options, string? path = null)
    {
        // The connection is not shared and stays open, so a pool would only keep the file open after the store is
        // closed. With a shared cache, connections of one process lock each other out at once, without waiting for the
        // timeout. With a timeout below zero the driver does not sleep on locks.
        var text = new SqliteConnectionStringBuilder(options.ConnectionString)
        {
            Pooling = false,
            Cache = SqliteCacheMode.Private,
            DefaultTimeout = -1,
        };
        if (path is not null && !IsUri(text))
        {
            (text.DataSource, text.Mode) = (path, SqliteOpenMode.ReadWrite);
        }

        var connection = new SqliteConnection(text.ToString());
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(connection.Handle, 0);
            ThrowIfUnfit(connection, options);
            Ask(
                connection,
                $"pragma synchronous = {(options.Durability == SqliteDurability.Full ? "full" : "normal")}");
            Ask(connection, "pragma temp_store = memory");
            options.Opened?.Invoke(connection);
            return connection;
        }
        catch (SqliteException e) when (Faults.KindOf(e) != FaultKind.Lock)
        {
            connection.Dispose();
            throw Described(e, "opened", PathOf(text));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Throws unless a transaction can write. A lock of another connection does not throw.</summary>
    public static void ThrowIfNotWritable(SqliteConnection connection)
    {
        try
        {
            Ask(connection, "begin immediate");
            Ask(connection, "rollback");
        }
        catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Lock)
        {
            // The holder of the lock can write, so this process can write in its turn.
        }
        catch (SqliteException e)
        {
            throw Described(e, "written", PathOf(connection));
        }
    }

    /// <summary>The full path of the file that the options name, for messages; the URI if they name one.</summary>
    public static string PathOf(SqliteTasksOptions options) =>
        PathOf(new SqliteConnectionStringBuilder(options.ConnectionString));

    /// <summary>
    /// Adds the path of the file to the message of an exception; the driver's message does not contain it.
    /// </summary>
    public static Exception Located(Exception e, string path)
    {
        if (e is not SqliteException fault || fault.Message.Contains(path, StringComparison.Ordinal))
        {
            return e;
        }

        var located = new SqliteException(
            $"{fault.Message} The file is \"{path}\".", fault.SqliteErrorCode, fault.SqliteExtendedErrorCode);
        return fault.StackTrace is { } trace ? ExceptionDispatchInfo.SetRemoteStackTrace(located, trace) : located;
    }

    /// <summary>The full path of a connection's file; empty for a database without a file.</summary>
    public static string PathOf(SqliteConnection connection) =>
        raw.sqlite3_db_filename(connection.Handle, "main").utf8_to_string();

    private static void ThrowIfUnfit(SqliteConnection connection, SqliteTasksOptions options)
    {
        var path = PathOf(connection);
        if (path.Length == 0)
        {
            throw Unnamed(options);
        }

        if (raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
        {
            throw new SqliteException(
                "The file is read-only for this process: check its permissions, its volume, and the connection "
                    + "string.",
                raw.SQLITE_READONLY);
        }

        if (Ask(connection, "pragma journal_mode = wal") is not "wal" and var mode)
        {
            throw new ArgumentException(
                $"The SQLite file \"{path}\" cannot be used: its journal mode stays \"{mode}\" and must become WAL. "
                    + "Use a local disk and SQLite's default VFS, without immutable or nolock.",
                nameof(options));
        }

        if (Ask(connection, "pragma encoding") is not "UTF-8" and var encoding)
        {
            throw new ArgumentException(
                $"The SQLite file \"{path}\" cannot be used: its text is encoded as {encoding} and must be UTF-8. Use "
                    + "another file.",
                nameof(options));
        }
    }

    private static ArgumentException Unnamed(SqliteTasksOptions options) =>
        new($"The connection string \"{Shown(options)}\" names no file that can be written; {Advice}", nameof(options));

    /// <summary>The connection string without its password.</summary>
    private static string Shown(SqliteTasksOptions options)
    {
        var text = new SqliteConnectionStringBuilder(options.ConnectionString);
        return text.Remove("Password") ? text.ToString() : options.ConnectionString;
    }

    private static SqliteException Described(SqliteException e, string what, string path)
    {
        var reason = Directory.Exists(path) ? "It is a folder. "
            : Path.GetDirectoryName(path) is { Length: > 0 } folder && !Directory.Exists(folder)
                ? "Its folder does not exist. "
            : "";
        return new SqliteException(
            string.Create(
                CultureInfo.InvariantCulture, $"The SQLite file \"{path}\" cannot be {what}. {reason}{e.Message}"),
            e.SqliteErrorCode,
            e.SqliteExtendedErrorCode);
    }

    private static string PathOf(SqliteConnectionStringBuilder text) =>
        IsUri(text) ? text.DataSource : Path.GetFullPath(text.DataSource);

    private static bool IsUri(SqliteConnectionStringBuilder text) =>
        text.DataSource.StartsWith("file:", StringComparison.OrdinalIgnoreCase);

    private static object? Ask(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        return command.ExecuteScalar();
    }
}
