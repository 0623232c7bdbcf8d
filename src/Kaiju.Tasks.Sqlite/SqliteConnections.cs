using System.Collections.Concurrent;
using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// The connections of a store, each opened by <see cref="SqliteFile"/>. Readers return theirs for the next reader.
/// </summary>
internal sealed class SqliteConnections(SqliteTasksOptions options) : IDisposable
{
    private readonly ConcurrentBag<CachedConnection> _readers = [];
    private volatile string? _path;
    private volatile bool _isDisposed;

    /// <summary>
    /// Opens a connection. Once the file is known to be valid, it opens the same file and never creates it again.
    /// </summary>
    public SqliteConnection Open() => SqliteFile.Open(options, _path);

    /// <summary>Marks the file of this connection as valid.</summary>
    public void Know(SqliteConnection connection) => _path = SqliteFile.PathOf(connection);

    /// <summary>Reads on a returned connection; on a new one if that is unfit.</summary>
    public T Read<T>(Func<CachedConnection, T> read)
    {
        ClosedStore.ThrowIf(_isDisposed);
        try
        {
            return Read(read, _readers.TryTake(out var reader) ? reader : new CachedConnection(Open()));
        }
        catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Connection)
        {
            return Read(read, new CachedConnection(Open()));
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

    private T Read<T>(Func<CachedConnection, T> read, CachedConnection reader)
    {
        try
        {
            var answer = read(reader);
            Return(reader);
            return answer;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    private void Return(CachedConnection reader)
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
}

/// <summary>A connection with its prepared statements. Only one user at a time.</summary>
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
/// <param name="connection">The connection; it is not disposed of with the statements.</param>
/// <param name="transaction">The transaction that the driver requires commands to name; null for none.</param>
internal sealed class SqliteStatements(SqliteConnection connection, SqliteTransaction? transaction = null) : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SqliteStatement> _keptOpen = new(StringComparer.Ordinal);

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

    /// <summary>A statement that runs for every task; it stays prepared.</summary>
    public SqliteStatement KeptOpen(string text)
    {
        if (!_keptOpen.TryGetValue(text, out var statement))
        {
            _keptOpen.Add(text, statement = new SqliteStatement(connection, text));
        }

        return statement;
    }

    public void Dispose()
    {
        foreach (IDisposable statement in _commands.Values.Concat<IDisposable>(_keptOpen.Values))
        {
            statement.Dispose();
        }
    }
}
