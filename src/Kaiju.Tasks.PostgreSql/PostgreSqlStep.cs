using System.Data.Common;
using Kaiju.Tasks.Relational;
using Npgsql;
using NpgsqlTypes;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// A step on a connection, in a transaction if it changes something. Statements about many rows take arrays. The time
/// is the database's, except in tests.
/// </summary>
internal sealed class PostgreSqlStep(
    NpgsqlConnection connection,
    Func<DateTimeOffset>? testTime,
    StoreParts parts,
    StepTry tries,
    CancellationToken cancellationToken)
    : SqlStep(parts, tries)
{
    /// <summary>
    /// The most reads of rows until definition and state are of one revision; both are held from the second one on.
    /// </summary>
    private const int MostReads = 3;

    private DateTimeOffset? _now = testTime?.Invoke();

    /// <summary>True if the calling thread may be blocked: queries are complete when the call returns.</summary>
    public bool IsBlocking { get; init; }

    public override async ValueTask<DateTimeOffset> NowAsync() =>
        _now ??= (await QueryAsync("now", row => row.Time(0)).ConfigureAwait(false))[0];

    public override ValueTask<List<T>> QueryAsync<T>(
        string statement, Func<DbDataReader, T> read, params Argument[] arguments) =>
        QueryAsync(Command(statement, Parameters(arguments)), read);

    /// <summary>Runs one statement about many rows.</summary>
    public ValueTask<List<T>> QueryEachAsync<TRow, T>(
        string statement,
        Func<DbDataReader, T> read,
        IReadOnlyList<TRow> rows,
        IReadOnlyList<Column<TRow>> columns,
        params Argument[] arguments) =>
        QueryAsync(Command(statement, Parameters(rows, columns).Concat(Parameters(arguments))), read);

    public override async ValueTask<int> ExecuteAsync(string statement, params Argument[] arguments)
    {
        using var command = Command(statement, Parameters(arguments));
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask ExecuteEachAsync<T>(
        string statement, IReadOnlyList<T> rows, IReadOnlyList<Column<T>> columns)
    {
        using var command = Command(statement, Parameters(rows, columns));
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async ValueTask<List<TaskRow>> LoadAsync(string statement, Argument[] arguments)
    {
        for (var tries = 1; ; tries++)
        {
            var unreadable = Unreadable.Count;
            var rows = await QueryAsync(statement, ReadHeld, arguments).ConfigureAwait(false);
            if (tries == MostReads || rows.TrueForAll(row => row is null || row.Value.Fault is null))
            {
                Unreadable.AddRange(rows.Select(row => row?.Fault).OfType<RowFault>());
                return [.. rows.Where(row => row is { Fault: null }).Select(row => row!.Value.Task)];
            }

            // After a wait, the state is newer than an update of the definition, and the definition older. Both are
            // held now, so that the next read sees one revision.
            Unreadable.RemoveRange(unreadable, Unreadable.Count - unreadable);
        }
    }

    /// <summary>Reads a task's row; with a fault if its definition and its state are of different revisions.</summary>
    private (TaskRow Task, RowFault? Fault)? ReadHeld(DbDataReader row)
    {
        if (ReadTask(row) is not { } task)
        {
            return null;
        }

        var revision = row.GetInt32(TaskRowColumns.Read.Length);
        return task.Revision == revision
            ? (task, null)
            : (
                task,
                RowFault.Of(
                    row,
                    new InvalidDataException(
                        $"Its definition is of revision {task.Revision}, its state of revision {revision}.")));
    }

    public override async ValueTask<Dictionary<(string App, string Method), (TaskHold Hold, bool IsNamed)>>
        FindHoldsAsync(IReadOnlyCollection<(string App, string Method)> routes) => routes.Count == 0
        ? []
        : (await QueryAsync(
            "find_holds",
            row => (Route: (row.GetString(0), row.GetString(1)), Hold: ((TaskHold)row.GetInt32(2), row.GetBoolean(3))),
            Argument.Texts("apps", routes.Select(route => route.App)),
            Argument.Texts("methods", routes.Select(route => route.Method))).ConfigureAwait(false))
            .ToDictionary(hold => hold.Route, hold => hold.Hold);

    public override async ValueTask<IReadOnlyCollection<TaskRow>> InsertAsync(IReadOnlyList<TaskRow> rows)
    {
        var byId = rows.ToDictionary(row => row.Id, StringComparer.Ordinal);
        var inserted = new List<TaskRow>();
        foreach (var (id, number) in await QueryEachAsync(
            "insert_tasks",
            row => (row.GetString(0), row.GetInt64(1)),
            rows,
            TaskRowColumns.Definition).ConfigureAwait(false))
        {
            var row = byId[id];
            row.TaskNo = number;
            inserted.Add(row);
        }

        if (inserted.Count > 0)
        {
            await DecideHoldsAsync(inserted).ConfigureAwait(false);
            await ExecuteEachAsync("insert_states", inserted, TaskRowColumns.State).ConfigureAwait(false);
        }

        return inserted;
    }

    private async ValueTask<List<T>> QueryAsync<T>(NpgsqlCommand command, Func<DbDataReader, T> read)
    {
        using (command)
        {
            if (IsBlocking)
            {
                using var answer = command.ExecuteReader();
                return answer.ReadAll(read);
            }

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
    }

    private NpgsqlCommand Command(string statement, IEnumerable<(string Name, NpgsqlParameter Parameter)> arguments)
    {
        // A page of a list passes its own text.
        var positional = PositionalStatement.Of(Sql.All.GetValueOrDefault(statement) ?? statement);
        var command = new NpgsqlCommand(positional.Text, connection);
        var given = arguments.ToDictionary(
            argument => argument.Name, argument => argument.Parameter, StringComparer.Ordinal);
        foreach (var name in positional.Names)
        {
            command.Parameters.Add(
                given.GetValueOrDefault(name)
                ?? (name == "now" && _now is { } now
                    ? new NpgsqlParameter { Value = Ticks.Of(now), NpgsqlDbType = NpgsqlDbType.Bigint }
                    : throw new ArgumentException($"{statement} needs @{name}.", nameof(arguments))));
        }

        return command;
    }

    private static IEnumerable<(string Name, NpgsqlParameter Parameter)> Parameters(Argument[] arguments)
    {
        foreach (var argument in arguments)
        {
            var type = PostgreSqlTypes.Of(argument.Type);
            yield return (
                argument.Name,
                new NpgsqlParameter
                {
                    NpgsqlDbType = argument.IsList ? type | NpgsqlDbType.Array : type,
                    Value = argument.Value ?? DBNull.Value,
                });
        }
    }

    private static IEnumerable<(string Name, NpgsqlParameter Parameter)> Parameters<T>(
        IReadOnlyList<T> rows, IReadOnlyList<Column<T>> columns)
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
            yield return (
                column.Name,
                new NpgsqlParameter
                {
                    NpgsqlDbType = PostgreSqlTypes.Of(column.Type) | NpgsqlDbType.Array,
                    Value = values,
                });
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
}
