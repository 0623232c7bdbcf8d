namespace Kaiju.Tasks.Relational;

/// <summary>
/// The lists of columns that an adapter's statements name, such as <c>$state_columns$</c>, made from the declarations
/// of the columns. See docs/decisions/0015.
/// </summary>
/// <param name="argument">The function that writes a column's argument in the adapter's dialect.</param>
/// <param name="source">The function that names a column's new value in a statement that changes many rows.</param>
/// <param name="nextMethod">The SQL that reads <see cref="TaskRowColumns.NextMethod"/>.</param>
internal sealed class ColumnWords(
    Func<string, ColumnType, string> argument, Func<string, string> source, string nextMethod)
{
    private static readonly string _waitsOf = $" | case when s.has_waiting then {(int)TaskTraits.Waits} else 0 end";

    private static readonly int _waitingNeeds = (int)TaskTraits.Waits | DefinitionNeed.All.Traits;

    private readonly Dictionary<string, string> _words = new(StringComparer.Ordinal);

    /// <summary>The words of every kind of row.</summary>
    public IReadOnlyDictionary<string, string> All()
    {
        Add("definition", TaskRowColumns.Definition);
        Add("state", TaskRowColumns.State);
        Add("new", TaskRowColumns.New);
        AddNew("new_definition", TaskRowColumns.Definition);
        AddNew("new_state", TaskRowColumns.State);
        Add("result", EntryRow.ResultColumns);
        Add("failure", EntryRow.FailureColumns);
        Add("run", RunRow.Columns);
        Add("moved", MovedRow.Columns);
        Add("restored", RestoredRow.Columns);
        Add("sweep", SweepRow.Columns);
        Add("notification", NotificationRow.Columns);
        _words.Add("task", ReadList(column => column == TaskRowColumns.NextMethod ? "null" : column.Name));

        // Only tasks with one of the traits in @whole need their definition, or only a method of it.
        _words.Add("held", ReadList(column => column == TaskRowColumns.NextMethod
            ? $"case when @whole & {DefinitionNeed.Method} <> 0 then {nextMethod} end"
            : column.Name == "definition"
                ? $"case when (s.traits | 16{_waitsOf}) & @whole <> 0 then t.definition end"
                : column.Name == "waiting"
                    ? $"case when s.has_waiting and @whole & {_waitingNeeds} <> 0 then t.waiting end"
                    : column.Name));

        // Waits of a kind that only a later version knows are left to its managers. See docs/decisions/0018.
        _words.Add("known_waits", string.Join(", ", Enum.GetValues<WaitKind>().Select(kind => (int)kind)));
        return _words;
    }

    /// <summary>The columns to read for a task: those of its definition t and of its state s.</summary>
    private static string ReadList(Func<Column<TaskRow>, string> name) => ListOf(
        TaskRowColumns.Read, column => name(column) is var read && read != column.Name
            ? read
            : $"{(TaskRowColumns.Definition.Contains(column) ? 't' : 's')}.{read}");

    private void Add<T>(string kind, IReadOnlyList<Column<T>> columns)
    {
        _words.Add($"{kind}_columns", ListOf(columns, column => column.Name));
        _words.Add($"{kind}_arguments", ListOf(columns, column => argument(column.Name, column.Type)));
        _words.Add(
            $"{kind}_sets",
            ListOf([.. columns.Where(column => !column.IsFixed)], column => $"{column.Name} = {source(column.Name)}"));
    }

    private void AddNew(string kind, IReadOnlyList<Column<TaskRow>> columns)
    {
        columns = [.. columns.Where(column => column.OfNew != NewValue.Null)];
        _words.Add($"{kind}_columns", ListOf(columns, column => column.Name));
        _words.Add($"{kind}_values", ListOf(columns, column => column.OfNew switch
        {
            NewValue.Zero => "0",
            NewValue.One => "1",
            NewValue.False => "false",
            NewValue.Number => $"t.{column.Name}",
            NewValue.Clock => "n.now",
            NewValue.RoutedHold => "coalesce((select k.holds from k)[n.route], 0)",
            NewValue.RoutedMethod => "(@route_methods::text[])[n.route]",
            NewValue.GivenFromClock => $"n.now + n.{column.Name}",
            _ => $"n.{column.Name}",
        }));
    }

    private static string ListOf<T>(IEnumerable<Column<T>> columns, Func<Column<T>, string> text) =>
        string.Join(", ", columns.Select(text));
}
