namespace Kaiju.Tasks.Relational;

/// <summary>
/// The statement of a page. It first reads rows in order from the index that fits the query best, at most as many as a
/// page may read. Then it filters them. See docs/decisions/0006.
/// </summary>
internal sealed class ListStatement
{
    private readonly SqlTexts _sql;
    private readonly bool _byState;
    private readonly bool _newestFirst;
    private readonly List<string> _scan = [];
    private readonly List<string> _filter = [];
    private readonly List<Argument> _arguments = [];

    private ListStatement(TaskQuery query, TaskCursor? after, SqlTexts sql)
    {
        var byMember = query.Group ?? query.GroupId ?? query.UserId;
        _sql = sql;
        _byState = byMember is null && query.AnyOf is { Count: 1 } states && IsIndexed(states.First());
        _newestFirst = query.NewestFirst;
        Narrow(query, after);
    }

    /// <summary>The statement that reads the page.</summary>
    public string Text => Fill(_byState ? "list_by_state" : "list");

    /// <summary>The statement that counts the rows from which the page is read.</summary>
    public string Count => Fill(_byState ? "count_by_state" : "count");

    /// <summary>
    /// The statement that reads the places of the page's tasks, with what decides whether a bulk operation visits them.
    /// </summary>
    public string Keys => Fill(_byState ? "keys_by_state" : "keys");

    /// <summary>The statement that finds the last row that a page may read, if there are that many.</summary>
    public string LastScanned => Fill(_byState ? "list_by_state_last" : "list_last");

    public IReadOnlyList<Argument> Arguments => _arguments;

    /// <summary>
    /// True if the state has an index. The states that every task passes through have none, so that their writes stay
    /// cheap. See docs/decisions/0006.
    /// </summary>
    public static bool IsIndexed(TaskState state) =>
        state is TaskState.Idle or TaskState.Suspended or TaskState.Waiting or TaskState.Failed;

    public static ListStatement Of(TaskQuery query, TaskCursor? after, SqlTexts sql) => new(query, after, sql);

    private void Narrow(TaskQuery query, TaskCursor? after)
    {
        // Conditions that the index starts with narrow the rows to read; the others filter those rows.
        var order = _byState ? "s" : "t";
        if (query.AnyOf is { } states)
        {
            // Literal states: a partial index is used only where the statement names the state.
            (_byState ? _scan : _filter).Add(states.Count switch
            {
                0 => " and 1 = 0",
                1 => $" and s.state = {(int)states.First()}",
                _ => $" and s.state in ({string.Join(", ", states.Select(state => (int)state))})",
            });
        }

        if (query.IsFinal is { } final)
        {
            _filter.Add($" and {(final ? "" : "not ")}(s.state = 5 or (s.state = 6 and s.retry_at is null))");
        }

        if (query.IsEnabled is { } enabled)
        {
            _filter.Add(" and s.enabled = @enabled");
            _arguments.Add(Argument.Flag("enabled", enabled));
        }

        _arguments.Add(Argument.Text("method", query.Method));
        Add(_scan, "t.group_id", "group_id", query.GroupId);
        Add(query.GroupId is null ? _scan : _filter, "t.user_id", "user_id", query.UserId);
        Add(query.GroupId is null && query.UserId is null ? _scan : _filter, "t.group_name", "group_name", query.Group);
        Add(_filter, "t.app", "app", query.AppName);
        if (query.IsPeriodic is { } periodic)
        {
            _filter.Add(" and t.is_periodic = @is_periodic");
            _arguments.Add(Argument.Flag("is_periodic", periodic));
        }

        if (query.IdPrefix is { } prefix)
        {
            _filter.Add(" and substr(t.id, 1, @prefix_length) = @prefix");
            _arguments.Add(Argument.Text("prefix", prefix));
            _arguments.Add(Argument.Integer("prefix_length", prefix.EnumerateRunes().Count()));
        }

        if (query.CreatedFrom is { } from)
        {
            _scan.Add($" and {order}.created >= @created_from");
            _arguments.Add(Argument.Long("created_from", Ticks.Of(from)));
        }

        if (query.CreatedTo is { } to)
        {
            _scan.Add($" and {order}.created < @created_to");
            _arguments.Add(Argument.Long("created_to", Ticks.Of(to)));
        }

        if (after is { } cursor)
        {
            // The first condition serves the index, the second one rows of the same time.
            var beyond = query.NewestFirst ? '<' : '>';
            _scan.Add(
                $" and {order}.created {beyond}= @after_created"
                    + $" and ({order}.created {beyond} @after_created or t.id {beyond} @after_id)");
            _arguments.Add(Argument.Long("after_created", Ticks.Of(cursor.Created)));
            _arguments.Add(Argument.Text("after_id", cursor.Id));
        }
    }

    private string Fill(string statement) => _sql[statement]
        .Replace("/*scan*/", string.Concat(_scan), StringComparison.Ordinal)
        .Replace("/*filter*/", string.Concat(_filter), StringComparison.Ordinal)
        .Replace("/*desc*/", _newestFirst ? " desc" : "", StringComparison.Ordinal);

    private void Add(List<string> conditions, string column, string argument, string? value)
    {
        if (value is not null)
        {
            conditions.Add($" and {column} = @{argument}");
            _arguments.Add(Argument.Text(argument, value));
        }
    }
}
