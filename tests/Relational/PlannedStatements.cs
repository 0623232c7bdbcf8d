namespace Kaiju.Tasks.Relational;

/// <summary>
/// Every statement of an adapter as sent to the database, with those of pages for each kind of filter.
/// </summary>
internal static class PlannedStatements
{
    /// <summary>The indexes of states that statements about queued tasks use, for any distribution of rows.</summary>
    public static IReadOnlyList<(string Statement, string[] Indexes)> OfQueue { get; } =
    [
        ("has_queued", [Common, Held]),
        ("unserved_apps", [Common]),
        ("common_queue", [Common]),
        ("held_groups", [Held]),
        ("rehold_group", [Held]),
    ];

    /// <summary>The index of the tasks that every executor of their app may claim.</summary>
    public const string Common = "states_queued";

    /// <summary>The index of the tasks that are held.</summary>
    public const string Held = "states_held";

    public static IEnumerable<(string Name, string Text)> Of(SqlTexts sql)
    {
        var lists = new (string Name, TaskQuery Query)[]
        {
            ("all", new TaskQuery()),
            ("group", new TaskQuery { Group = "g" }),
            ("group id", new TaskQuery { GroupId = "g" }),
            ("user", new TaskQuery { UserId = "u" }),
            ("failed", new TaskQuery { State = TaskState.Failed }),
            ("finished", new TaskQuery { State = TaskState.Finished }),
            ("prefix", new TaskQuery { IdPrefix = "t" }),
            ("newest", new TaskQuery { NewestFirst = true }),
            ("newest of a group", new TaskQuery { Group = "g", NewestFirst = true }),
            ("newest failed", new TaskQuery { State = TaskState.Failed, IsFinal = true, NewestFirst = true }),
            ("several states", new TaskQuery { States = [TaskState.Idle, TaskState.Failed] }),
            ("disabled", new TaskQuery { IsEnabled = false }),
            ("method", new TaskQuery { Method = "do" }),
        };
        var after = new TaskCursor(DateTimeOffset.UnixEpoch, "t");
        return sql.All.Where(statement => !statement.Value.Contains("/*scan*/", StringComparison.Ordinal))
            .Select(statement => (statement.Key, statement.Value))
            .Concat(lists.Select(list => ($"list {list.Name}", ListStatement.Of(list.Query, after, sql).Text)))
            .Concat(lists.Select(list => ($"count {list.Name}", ListStatement.Of(list.Query, after, sql).Count)))
            .Concat(lists.Select(list => ($"keys {list.Name}", ListStatement.Of(list.Query, after, sql).Keys)))
            .Concat(
                lists.Select(
                    list => ($"last of list {list.Name}", ListStatement.Of(list.Query, after, sql).LastScanned)));
    }
}
