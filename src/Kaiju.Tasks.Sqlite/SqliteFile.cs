using System.Globalization;
using System.Runtime.ExceptionServices;
using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// Opens the file that a connection string names, and refuses with path and reason what could never hold tasks.
/// </summary>
internal static class SqliteFile
{
    private const string Advice =
        "it must, such as \"Data Source=tasks.db\". For tasks in memory leave the adapter out.";

    private static readonly ConnectionText<SqliteConnectionStringBuilder> _text =
        new($"{nameof(SqliteTasksOptions)}.{nameof(SqliteTasksOptions.ConnectionString)}", "Microsoft.Data.Sqlite");

    /// <summary>Refuses a connection string that says by itself that it is unfit.</summary>
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
                    + "other out of tables; leave cache=shared out.",
                nameof(options));
        }
    }

    /// <summary>The timeout that a connection string gives; null if it gives none, or cannot be read.</summary>
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
    /// Opens a connection with the settings that every one of ours needs. It never waits for a lock:
    /// <see cref="LockWait"/> does.
    /// </summary>
    /// <param name="options">Which file.</param>
    /// <param name="path">
    /// The full path of the file once it is known: it is not created again, and a change of the current folder does not
    /// matter.
    /// </param>
    /// <exception cref="ArgumentException">What the connection string names can never hold tasks.</exception>
    /// <exception cref="SqliteException">
    /// The file cannot be opened, or not written. The message has its path and the reason.
    /// </exception>
    public static SqliteConnection Open(SqliteTasksOptions options, string? path = null)
    {
        // Ours alone and kept open, so the driver's pool would only keep the file open after us. In a shared cache
        // connections of one process lock each other out at once, whatever is said about waiting. A timeout below zero:
        // the driver does not nap on locks.
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

    /// <summary>Shows that a transaction can write. A lock of another connection shows as much.</summary>
    public static void ThrowIfNotWritable(SqliteConnection connection)
    {
        try
        {
            Ask(connection, "begin immediate");
            Ask(connection, "rollback");
        }
        catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Lock)
        {
            // Whoever holds the lock can write, and so can this process when it is its turn.
        }
        catch (SqliteException e)
        {
            throw Described(e, "written", PathOf(connection));
        }
    }

    /// <summary>The full path of the file that the options name, for messages; of a URI the URI.</summary>
    public static string PathOf(SqliteTasksOptions options) =>
        PathOf(new SqliteConnectionStringBuilder(options.ConnectionString));

    /// <summary>A fault of a statement with the path of the file; the driver says only what happened.</summary>
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
                "The file is read-only for this process: look at its permissions, its volume, and the connection "
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
