using System.Data.Common;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Npgsql;
using NpgsqlTypes;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>A step on a connection, in a transaction if it changes something: its statements, with many rows at once as arrays. The time is the database's, but for tests.</summary>
internal sealed class PostgreSqlStep(
    NpgsqlConnection connection,
    Func<DateTimeOffset>? testTime,
    SqlTexts sql,
    LifecycleRules rules,
    LifecycleFunction next,
    Func<string> newJobId,
    CancellationToken cancellationToken)
    : SqlStep(sql, rules, next, newJobId)
{
    private DateTimeOffset? _now = testTime?.Invoke();

    public override async ValueTask<DateTimeOffset> NowAsync() =>
        _now ??= (await QueryAsync("now", row => row.Time(0)).ConfigureAwait(false))[0];

    public override async ValueTask<List<T>> QueryAsync<T>(string statement, Func<DbDataReader, T> read, params Argument[] arguments)
    {
        using var command = Command(statement, arguments);
        var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (rows.ConfigureAwait(false))
        {
            var list = new List<T>();
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                list.Add(read(rows));
            }

            return list;
        }
    }

    public override async ValueTask<int> ExecuteAsync(string statement, params Argument[] arguments)
    {
        using var command = Command(statement, arguments);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask ExecuteEachAsync<T>(string statement, IReadOnlyList<T> rows, IReadOnlyList<Column<T>> columns)
    {
        using var command = Command(statement, []);
        AddColumns(command, rows, columns);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<List<TaskRow>> LoadAsync(string statement, params Argument[] arguments)
    {
        while (true)
        {
            var rows = await QueryAsync(statement, row => (Task: TaskRow.Read(row, Rules), Revision: row.GetInt32(TaskRow.ColumnCount)), arguments).ConfigureAwait(false);
            if (rows.TrueForAll(row => row.Task.Revision == row.Revision))
            {
                return rows.ConvertAll(row => row.Task);
            }

            // The state was waited for and is of after an update, the definition of before it. Held now, they are read as one.
        }
    }

    public override async ValueTask<IReadOnlyCollection<TaskRow>> InsertAsync(IReadOnlyList<TaskRow> rows)
    {
        var byId = rows.ToDictionary(row => row.Id, StringComparer.Ordinal);
        var inserted = new List<TaskRow>();
        using (var command = Command("insert_tasks", []))
        {
            AddColumns(command, rows, TaskRow.DefinitionColumns);
            var numbers = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (numbers.ConfigureAwait(false))
            {
                while (await numbers.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    var row = byId[numbers.GetString(0)];
                    row.TaskNo = numbers.GetInt64(1);
                    inserted.Add(row);
                }
            }
        }

        if (inserted.Count > 0)
        {
            await ExecuteEachAsync("insert_states", inserted, TaskRow.StateColumns).ConfigureAwait(false);
        }

        return inserted;
    }

    // A page of a list brings its own text.
    private NpgsqlCommand Command(string statement, Argument[] arguments)
    {
        var command = new NpgsqlCommand(Sql.All.GetValueOrDefault(statement) ?? statement, connection);
        foreach (var argument in arguments)
        {
            var type = TypeOf(argument.Type);
            command.Parameters.Add(new NpgsqlParameter(argument.Name, argument.IsList ? type | NpgsqlDbType.Array : type) { Value = argument.Value ?? DBNull.Value });
        }

        if (testTime is not null && !command.Parameters.Contains("now") && command.CommandText.Contains("@now", StringComparison.Ordinal))
        {
            command.Parameters.Add(new NpgsqlParameter("now", NpgsqlDbType.Bigint) { Value = Ticks.Of(_now!.Value) });
        }

        return command;
    }

    private static void AddColumns<T>(NpgsqlCommand command, IReadOnlyList<T> rows, IReadOnlyList<Column<T>> columns)
    {
        foreach (var column in columns)
        {
            Array values = column.Type switch
            {
                ColumnType.Integer => ValuesOf<T, int?>(rows, column),
                ColumnType.Long => ValuesOf<T, long?>(rows, column),
                ColumnType.Flag => ValuesOf<T, bool?>(rows, column),
                ColumnType.Uuid => ValuesOf<T, Guid?>(rows, column),
                _ => ValuesOf<T, string?>(rows, column),
            };
            command.Parameters.Add(new NpgsqlParameter(column.Name, TypeOf(column.Type) | NpgsqlDbType.Array) { Value = values });
        }
    }

    private static TValue[] ValuesOf<TRow, TValue>(IReadOnlyList<TRow> rows, Column<TRow> column)
    {
        var values = new TValue[rows.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (TValue)column.Value(rows[i])!;
        }

        return values;
    }

    private static NpgsqlDbType TypeOf(ColumnType type) => type switch
    {
        ColumnType.Integer => NpgsqlDbType.Integer,
        ColumnType.Long => NpgsqlDbType.Bigint,
        ColumnType.Flag => NpgsqlDbType.Boolean,
        ColumnType.Uuid => NpgsqlDbType.Uuid,
        _ => NpgsqlDbType.Text,
    };
}
