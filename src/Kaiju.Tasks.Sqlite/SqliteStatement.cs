using System.Buffers;
using System.Text;
using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// A statement that runs for every task, one level below the driver's commands. Those search for each argument's name
/// at each use, which took a third of the writer's time. One thread binds its arguments in order, runs, reads and
/// resets it.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly sqlite3_stmt _statement;
    private object? _order;
    private int[] _places = [];
    private int _next;

    public SqliteStatement(SqliteConnection connection, string text)
    {
        _connection = connection;
        ThrowIfFault(raw.sqlite3_prepare_v2(connection.Handle, text, out _statement));
    }

    /// <summary>The number of the last inserted row.</summary>
    public long LastRow => raw.sqlite3_last_insert_rowid(_connection.Handle);

    /// <summary>Begins to bind arguments.</summary>
    /// <param name="names">The names in the statement. They are looked up once for each list instance.</param>
    /// <exception cref="ArgumentException">The statement has an argument that is not in the list.</exception>
    public SqliteStatement Begin(string[] names) => Begin(names, static names => names);

    /// <summary>Begins to bind a row's columns.</summary>
    public SqliteStatement Begin<T>(IReadOnlyList<Column<T>> columns) =>
        Begin(columns, static columns => columns.Select(column => column.Mark));

    private SqliteStatement Begin<TOrder>(TOrder order, Func<TOrder, IEnumerable<string>> namesOf)
        where TOrder : class
    {
        if (!ReferenceEquals(_order, order))
        {
            _places = [.. namesOf(order).Select(name => raw.sqlite3_bind_parameter_index(_statement, name))];
            var missing = Enumerable.Range(1, raw.sqlite3_bind_parameter_count(_statement)).Except(_places)
                .Select(place => raw.sqlite3_bind_parameter_name(_statement, place).utf8_to_string()).ToList();
            if (missing.Count > 0)
            {
                throw new ArgumentException($"The statement needs {string.Join(", ", missing)}.", nameof(order));
            }

            _order = order;
        }

        _next = 0;
        return this;
    }

    public SqliteStatement With(long? value)
    {
        if (_places[_next++] is > 0 and var place)
        {
            ThrowIfFault(
                value is { } number
                    ? raw.sqlite3_bind_int64(_statement, place, number)
                    : raw.sqlite3_bind_null(_statement, place));
        }

        return this;
    }

    public SqliteStatement With(Guid value)
    {
        Span<byte> text = stackalloc byte[36];
        value.TryFormat(text, out _);
        return With(text);
    }

    public SqliteStatement With(string? value)
    {
        if (value is null)
        {
            return With((long?)null);
        }

        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(value.Length));
        With(buffer.AsSpan(0, Encoding.UTF8.GetBytes(value, buffer)));
        ArrayPool<byte>.Shared.Return(buffer);
        return this;
    }

    /// <summary>Binds the value of a row's column.</summary>
    public SqliteStatement With(object? value) => value switch
    {
        null => With((long?)null),
        string text => With(text),
        bool flag => With(flag ? 1L : 0L),
        int number => With((long)number),
        long number => With(number),
        Guid id => With(id),
        _ => throw new ArgumentException($"A {value.GetType().Name} cannot be stored.", nameof(value)),
    };

    /// <summary>Runs the statement up to its first row.</summary>
    public Row Run() => new(this, Step());

    /// <summary>Runs the statement and returns the number of changed rows.</summary>
    public int Change()
    {
        using var row = Run();
        return raw.sqlite3_changes(_connection.Handle);
    }

    public void Dispose() => _statement.Dispose();

    private SqliteStatement With(ReadOnlySpan<byte> text)
    {
        if (_places[_next++] is > 0 and var place)
        {
            ThrowIfFault(raw.sqlite3_bind_text(_statement, place, text));
        }

        return this;
    }

    private bool Step()
    {
        var answer = raw.sqlite3_step(_statement);
        if (answer is raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return answer == raw.SQLITE_ROW;
        }

        try
        {
            SqliteException.ThrowExceptionForRC(answer, _connection.Handle);
            return false;
        }
        finally
        {
            raw.sqlite3_reset(_statement);
        }
    }

    private void ThrowIfFault(int answer) => SqliteException.ThrowExceptionForRC(answer, _connection.Handle);

    /// <summary>
    /// The statement's first row, if it has one. A statement that changes rows has changed all of them by then.
    /// </summary>
    internal readonly ref struct Row(SqliteStatement owner, bool isThere)
    {
        public bool IsThere => isThere;

        public long Long(int column) => raw.sqlite3_column_int64(owner._statement, column);

        public int Integer(int column) => raw.sqlite3_column_int(owner._statement, column);

        public string? TextOrNull(int column) =>
            raw.sqlite3_column_type(owner._statement, column) == raw.SQLITE_NULL ? null : Text(column);

        public string Text(int column) => raw.sqlite3_column_text(owner._statement, column).utf8_to_string();

        public byte[] Bytes(int column) => raw.sqlite3_column_blob(owner._statement, column).ToArray();

        public void Dispose() => raw.sqlite3_reset(owner._statement);
    }
}
