using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>Connections with the settings that every one needs, and those that readers lay aside for the next.</summary>
internal sealed class SqliteConnections(SqliteTasksOptions options) : IDisposable
{
    private readonly ConcurrentBag<CachedConnection> _readers = [];
    private volatile bool _isDisposed;

    public static SqliteConnection Open(SqliteTasksOptions options)
    {
        // Ours alone and kept open, so the driver's pool would only keep the file open after us. The driver waits for a lock in naps of
        // 150 ms, however short the lock; SQLite's own busy timeout comes first and is what counts.
        var text = new SqliteConnectionStringBuilder(options.ConnectionString) { Pooling = false, DefaultTimeout = 1 };
        var connection = new SqliteConnection(text.ToString());
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = string.Create(
                CultureInfo.InvariantCulture,
                $"""
                pragma busy_timeout = {(long)options.BusyTimeout.TotalMilliseconds};
                pragma journal_mode = wal;
                pragma synchronous = {(options.Durability == SqliteDurability.Full ? "full" : "normal")};
                pragma temp_store = memory;
                """);
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public CachedConnection Take() => _readers.TryTake(out var reader) ? reader : new CachedConnection(Open(options));

    public void Return(CachedConnection reader)
    {
        if (_isDisposed)
        {
            reader.Dispose();
        }
        else
        {
            _readers.Add(reader);
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        while (_readers.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }
}

/// <summary>A connection with the statements that were prepared on it. One user at a time.</summary>
internal sealed class CachedConnection(SqliteConnection connection) : IDisposable
{
    public SqliteConnection Connection => connection;

    public SqliteStatements Statements { get; } = new(connection);

    public void Execute(string text) => Statements.Command(text).ExecuteNonQuery();

    public void Dispose()
    {
        Statements.Dispose();
        connection.Dispose();
    }
}

/// <summary>The statements that were prepared on a connection, each once.</summary>
/// <param name="connection">The connection; not ours.</param>
/// <param name="transaction">The transaction that the driver is to know of.</param>
internal sealed class SqliteStatements(SqliteConnection connection, SqliteTransaction? transaction = null) : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SqliteStatement> _hot = new(StringComparer.Ordinal);

    public SqliteCommand Command(string text)
    {
        if (!_commands.TryGetValue(text, out var command))
        {
            command = connection.CreateCommand();
            (command.CommandText, command.Transaction) = (text, transaction);
            _commands.Add(text, command);
        }

        return command;
    }

    /// <summary>One that is carried out for every task.</summary>
    public SqliteStatement Hot(string text)
    {
        if (!_hot.TryGetValue(text, out var statement))
        {
            _hot.Add(text, statement = new SqliteStatement(connection, text));
        }

        return statement;
    }

    public void Dispose()
    {
        foreach (IDisposable statement in _commands.Values.Concat<IDisposable>(_hot.Values))
        {
            statement.Dispose();
        }
    }
}
