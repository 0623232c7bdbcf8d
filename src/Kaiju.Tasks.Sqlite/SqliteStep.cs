using System.Collections;
using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>A step on a connection. Nothing in it waits for anything but the disk, so it ends on the thread that it begins on.</summary>
internal sealed class SqliteStep(
    Func<string, SqliteCommand> command, DateTimeOffset now, SqlTexts sql, LifecycleRules rules, LifecycleFunction next, Func<string> newJobId)
    : SqlStep(sql, rules, next, newJobId)
{
    public override ValueTask<DateTimeOffset> NowAsync() => ValueTask.FromResult(now);

    public override ValueTask<List<T>> QueryAsync<T>(string statement, Func<DbDataReader, T> read, params Argument[] arguments)
    {
        var query = Prepared(statement, arguments);
        using var rows = query.ExecuteReader();
        var list = new List<T>();
        while (rows.Read())
        {
            list.Add(read(rows));
        }

        return ValueTask.FromResult(list);
    }

    public override ValueTask<int> ExecuteAsync(string statement, params Argument[] arguments) =>
        ValueTask.FromResult(Prepared(statement, arguments).ExecuteNonQuery());

    public override ValueTask ExecuteEachAsync<T>(string statement, IReadOnlyList<T> rows, IReadOnlyList<Column<T>> columns)
    {
        var each = command(Sql[statement]);
        foreach (var row in rows)
        {
            Bind(each, row, columns);
            each.ExecuteNonQuery();
        }

        return default;
    }

    public override ValueTask<List<TaskRow>> LoadAsync(string statement, params Argument[] arguments) =>
        QueryAsync(statement, row => TaskRow.Read(row, Rules), arguments);

    public override async ValueTask<IReadOnlyCollection<TaskRow>> InsertAsync(IReadOnlyList<TaskRow> rows)
    {
        var inserted = new List<TaskRow>();
        var each = command(Sql["insert_task"]);
        foreach (var row in rows)
        {
            Bind(each, row, TaskRow.DefinitionColumns);
            if (each.ExecuteScalar() is long number)
            {
                row.TaskNo = number;
                inserted.Add(row);
            }
        }

        await ExecuteEachAsync("insert_states", inserted, TaskRow.StateColumns).ConfigureAwait(false);
        return inserted;
    }

    /// <summary>A statement that is carried out for every task: its arguments are set by their places.</summary>
    /// <param name="statement">Its name.</param>
    /// <param name="names">The names of the arguments, always the same and in the same order.</param>
    /// <param name="values">Their values: whole numbers, texts and null.</param>
    public SqliteCommand Hot(string statement, string[] names, params ReadOnlySpan<object?> values)
    {
        var hot = command(Sql[statement]);
        for (var place = hot.Parameters.Count; place < names.Length; place++)
        {
            hot.Parameters.Add(new SqliteParameter { ParameterName = names[place] });
        }

        for (var place = 0; place < values.Length; place++)
        {
            hot.Parameters[place].Value = values[place] ?? DBNull.Value;
        }

        return hot;
    }

    // A page of a list brings its own text.
    private SqliteCommand Prepared(string statement, Argument[] arguments)
    {
        var prepared = command(Sql.All.GetValueOrDefault(statement) ?? statement);
        foreach (var argument in arguments)
        {
            Set(prepared, $"@{argument.Name}", argument.Type, argument.IsList ? ResultList.Of((IEnumerable)argument.Value!) : argument.Value);
        }

        if (prepared.CommandText.Contains("@now", StringComparison.Ordinal))
        {
            Set(prepared, "@now", ColumnType.Long, Ticks.Of(now));
        }

        return prepared;
    }

    private static void Bind<T>(SqliteCommand each, T row, IReadOnlyList<Column<T>> columns)
    {
        for (var place = 0; place < columns.Count; place++)
        {
            var column = columns[place];
            Set(each, column.Mark, column.Type, column.Value(row), place);
        }
    }

    /// <summary>Sets an argument; <paramref name="guess"/> is where it stands if the statement was bound in this order before.</summary>
    private static void Set(SqliteCommand command, string mark, ColumnType type, object? value, int guess = 0)
    {
        var stored = value switch
        {
            null => DBNull.Value,
            bool flag => flag ? 1L : 0L,
            Guid id => id.ToString("D"),
            _ => value,
        };
        var place = guess < command.Parameters.Count && command.Parameters[guess].ParameterName == mark ? guess : command.Parameters.IndexOf(mark);
        if (place < 0)
        {
            command.Parameters.Add(new SqliteParameter(mark, type is ColumnType.Text or ColumnType.Uuid || stored is string ? SqliteType.Text : SqliteType.Integer) { Value = stored });
        }
        else
        {
            command.Parameters[place].Value = stored;
        }
    }
}
