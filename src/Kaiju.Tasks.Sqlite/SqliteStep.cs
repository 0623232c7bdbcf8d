using System.Collections;
using System.Data.Common;
using Kaiju.Tasks.Relational;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// A step on a connection. It waits only for the disk, so it completes on the thread on which it begins.
/// </summary>
internal sealed class SqliteStep(
    SqliteStatements statements, DateTimeOffset now, StoreParts parts, StepTry tries) : SqlStep(parts, tries)
{
    private static readonly string[] _holdArguments = ["@app", "@method"];

    public override ValueTask<DateTimeOffset> NowAsync() => ValueTask.FromResult(now);

    public override ValueTask<List<T>> QueryAsync<T>(
        string statement, Func<DbDataReader, T> read, params Argument[] arguments)
    {
        var query = Prepared(statement, arguments);
        using var rows = query.ExecuteReader();
        return ValueTask.FromResult(rows.ReadAll(read));
    }

    public override ValueTask<int> ExecuteAsync(string statement, params Argument[] arguments) =>
        ValueTask.FromResult(Prepared(statement, arguments).ExecuteNonQuery());

    public override ValueTask ExecuteEachAsync<T>(
        string statement, IReadOnlyList<T> rows, IReadOnlyList<Column<T>> columns)
    {
        var each = statements.KeptOpen(Sql[statement]);
        foreach (var row in rows)
        {
            using var _ = Bind(each, row, columns).Run();
        }

        return default;
    }

    protected override async ValueTask<List<TaskRow>> LoadAsync(string statement, Argument[] arguments) =>
        [.. (await QueryAsync(statement, ReadTask, arguments).ConfigureAwait(false)).OfType<TaskRow>()];

    public override ValueTask<Dictionary<(string App, string Method), (TaskHold Hold, bool IsNamed)>> FindHoldsAsync(
        IReadOnlyCollection<(string App, string Method)> routes)
    {
        var found = new Dictionary<(string App, string Method), (TaskHold Hold, bool IsNamed)>();
        foreach (var route in routes)
        {
            found.Add(route, FindHold(route));
        }

        return ValueTask.FromResult(found);
    }

    // Without collections: it runs for every creation.
    public override ValueTask DecideHoldsAsync(IReadOnlyCollection<TaskRow> rows)
    {
        var (last, hold) = (default((string App, string Method)), TaskHold.None);
        foreach (var row in rows)
        {
            if (row.Queue is { } route)
            {
                hold = route == last ? hold : FindHold(route).Hold;
                last = route;
                row.TakeHold(hold);
            }
        }

        return default;
    }

    private (TaskHold Hold, bool IsNamed) FindHold((string App, string Method) route)
    {
        using var row = KeptOpen("find_hold", _holdArguments).With(route.App).With(route.Method).Run();
        return ((TaskHold)row.Integer(0), row.Integer(1) != 0);
    }

    public override async ValueTask<IReadOnlyCollection<TaskRow>> InsertAsync(IReadOnlyList<TaskRow> rows)
    {
        var inserted = new List<TaskRow>();
        var each = statements.KeptOpen(Sql["insert_task"]);
        foreach (var row in rows)
        {
            if (Bind(each, row, TaskRowColumns.Definition).Change() == 1)
            {
                row.TaskNo = each.LastRow;
                inserted.Add(row);
            }
        }

        await DecideHoldsAsync(inserted).ConfigureAwait(false);
        await ExecuteEachAsync("insert_states", inserted, TaskRowColumns.State).ConfigureAwait(false);
        return inserted;
    }

    /// <summary>A statement that runs for every task; its arguments are bound in the order of these names.</summary>
    public SqliteStatement KeptOpen(string statement, string[] names) =>
        statements.KeptOpen(Sql[statement]).Begin(names);

    // A page of a list passes its own text.
    private SqliteCommand Prepared(string statement, Argument[] arguments)
    {
        var prepared = statements.Command(Sql.All.GetValueOrDefault(statement) ?? statement);
        foreach (var argument in arguments)
        {
            Set(
                prepared,
                $"@{argument.Name}",
                argument.Type,
                argument.IsList ? ResultList.Of((IEnumerable)argument.Value!) : argument.Value);
        }

        if (prepared.CommandText.Contains("@now", StringComparison.Ordinal))
        {
            Set(prepared, "@now", ColumnType.Long, Ticks.Of(now));
        }

        return prepared;
    }

    private static SqliteStatement Bind<T>(SqliteStatement statement, T row, IReadOnlyList<Column<T>> columns)
    {
        statement.Begin(columns);
        for (var place = 0; place < columns.Count; place++)
        {
            statement.With(columns[place].Value(row));
        }

        return statement;
    }

    private static void Set(SqliteCommand command, string mark, ColumnType type, object? value)
    {
        var stored = value switch
        {
            null => DBNull.Value,
            bool flag => flag ? 1L : 0L,
            Guid id => id.ToString("D"),
            _ => value,
        };
        if (command.Parameters.IndexOf(mark) is >= 0 and var place)
        {
            command.Parameters[place].Value = stored;
        }
        else
        {
            command.Parameters.Add(
                new SqliteParameter(
                    mark,
                    type is ColumnType.Text or ColumnType.Uuid || stored is string
                        ? SqliteType.Text
                        : SqliteType.Integer)
                {
                    Value = stored,
                });
        }
    }
}
