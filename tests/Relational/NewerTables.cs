namespace Kaiju.Tasks.Relational;

/// <summary>
/// A migration of a later version, and the values that only that version knows. Tables are named in braces. The tests
/// and the faults program run this package on it. See docs/decisions/0018.
/// </summary>
internal static class NewerTables
{
    /// <summary>A wait, a hold and a report of a kind that this package does not know.</summary>
    public const int Kind = 77;

    /// <summary>A member of a definition.</summary>
    public const string Member = "\"newer\":{\"b\": [null, 2.50, \"é\"]}";

    /// <summary>A member of a command.</summary>
    public const string MemberOfCommand = "\"newer\":{\"a\": 1e2}";

    /// <summary>Adds columns, a table and an index, and names the oldest package that may run beside them.</summary>
    /// <param name="oldest">The package; null to name none.</param>
    public static string Migration(string? oldest) =>
        $$"""
        alter table {tasks} add column newer_text text;
        alter table {tasks} add column newer_number integer not null default 7;
        alter table {states} add column newer_text text;
        alter table {states} add column newer_number integer not null default 7;
        alter table {results} add column newer_text text;
        alter table {executors} add column newer_text text;
        create table {newer} (id integer primary key, note text not null);
        insert into {newer} (id, note) values (1, 'kept');
        create index newer_states on {states} (newer_number);
        insert into {migrations} (version, oldest)
            select max(version) + 1, {{(oldest is null ? "null" : $"'{oldest}'")}} from {migrations};
        """;

    /// <summary>Gives the rows of a task values in the new columns.</summary>
    public static string FillColumns(string id) =>
        $$"""
        update {tasks} set newer_text = 'kept', newer_number = 8 where id = '{{id}}';
        update {states} set newer_text = 'kept', newer_number = 8
            where task_no = (select task_no from {tasks} where id = '{{id}}');
        update {results} set newer_text = 'kept'
            where task_no = (select task_no from {tasks} where id = '{{id}}');
        """;

    /// <summary>Makes a task wait for what only the later version knows, with a deadline that is over.</summary>
    public static string WaitForUnknown(string id) =>
        $$"""
        update {states} set state = 4, wait = {{Kind}}, wait_deadline = 1, duty = 1, due = 1, next_run = null,
            report_claim = '11111111-1111-1111-1111-111111111111', report_stage = 0, report_kind = {{Kind}}
            where task_no = (select task_no from {tasks} where id = '{{id}}');
        """;

    /// <summary>Queues a task, held for a reason that only the later version knows.</summary>
    public static string HoldForUnknown(string id, string method) =>
        $$"""
        update {states} set state = 1, hold = {{Kind}}, method = '{{method}}', queued_at = 1, next_run = null,
            duty = null, due = null
            where task_no = (select task_no from {tasks} where id = '{{id}}');
        """;

    /// <summary>Adds members to a definition and to each of its commands with the method.</summary>
    public static string AddMembers(string id, string method) =>
        $$"""
        update {tasks} set definition = replace(
            substr(definition, 1, length(definition) - 1) || ',{{Member}}}',
            '"method":"{{method}}"', '"method":"{{method}}",{{MemberOfCommand}}') where id = '{{id}}';
        """;
}
