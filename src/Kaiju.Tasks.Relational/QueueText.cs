namespace Kaiju.Tasks.Relational;

/// <summary>
/// The part of a statement that finds the next <c>@looked</c> tasks of the common queue after a
/// <see cref="QueuePlace"/>: those of the same priority, of lower ones, and of later apps.
/// </summary>
internal static class QueueText
{
    /// <param name="states">The name of the table.</param>
    /// <param name="enabled">The condition of a state s that is enabled, as SQL.</param>
    public static string Of(string states, string enabled)
    {
        var queued = $"""
            select s.app, s.priority, s.queued_at, s.task_no, s.method from {states} s
            where s.state = 1 and {enabled} and s.hold = 0
            """;
        return $"""
            select * from ({queued} and s.app = @app and s.priority = @priority
                and (s.queued_at, s.task_no) > (@queued_at, @task_no)
                order by s.queued_at, s.task_no limit @looked) same
            union all
            select * from ({queued} and s.app = @app and s.priority < @priority
                order by s.priority desc, s.queued_at, s.task_no limit @looked) lower
            union all
            select * from ({queued} and s.app > @app
                order by s.app, s.priority desc, s.queued_at, s.task_no limit @looked) later
            order by app, priority desc, queued_at, task_no limit @looked
            """;
    }
}
