using System.Data.Common;
using System.Globalization;
using System.Text.RegularExpressions;
using Kaiju.Tasks.Relational;

namespace Kaiju.Tasks.Faults;

/// <summary>
/// The tables of a later version, under processes that do not know it: those that run continue, and those that start
/// begin on it. At the end everything that only the later version knows must be as it was.
/// </summary>
internal sealed partial class NewerSchema(FaultDatabase database, Load load, RunReport report)
{
    /// <summary>A task that waits for what no process knows.</summary>
    private const string Waiting = "newer-wait";

    /// <summary>A queued task that is held for a reason that no process knows.</summary>
    private const string Held = "newer-hold";

    /// <summary>A task that runs all the time, and whose definition the client changes at the end.</summary>
    private const string Running = "periodic-0";

    private const int Tries = 20;

    private const string Rows =
        "select s.* from {states} s join {tasks} t on t.task_no = s.task_no where t.id like 'newer-%' order by t.id";

    private IReadOnlyList<string>? _before;

    /// <summary>Migrates the tables, and adds what only the later version knows.</summary>
    public async Task ApplyAsync()
    {
        await load.CreateOnDemandAsync(Waiting);
        await load.CreateOnDemandAsync(Held);
        await ExecuteAsync(NewerTables.Migration("0.1.0"));

        // A change of state that no lifecycle has made is not checked.
        await ExecuteAsync(
            NewerTables.WaitForUnknown(Waiting) + NewerTables.FillColumns(Waiting)
                + NewerTables.HoldForUnknown(Held, "work") + NewerTables.FillColumns(Held)
                + NewerTables.AddMembers(Running, "work") + NewerTables.FillColumns(Running)
                + "delete from fault_log where task_no in (select task_no from {tasks} where id like 'newer-%')");
        _before = await ReadAsync(Rows);
    }

    /// <summary>Checks that nothing of it has changed, and deletes the tasks that never end.</summary>
    public async Task CheckAsync()
    {
        if (_before is not { Count: 2 })
        {
            report.Faults.Add("newer: the later migration was not applied");
            return;
        }

        Check("the rows with an unknown hold and an unknown wait", _before, await ReadAsync(Rows));
        Check(
            "the new columns of a task that runs",
            ["kept, 8, kept, 8"],
            await ReadAsync(
                "select t.newer_text, t.newer_number, s.newer_text, s.newer_number from {states} s join {tasks} t "
                    + $"on t.task_no = s.task_no where t.id = '{Running}'"));
        Check("the new table", ["1, kept"], await ReadAsync("select id, note from {newer}"));
        var definition = (await ReadAsync($"select definition from {{tasks}} where id = '{Running}'"))[0];
        Check("the cron of the definition that the client has changed", [], CronOf(definition));
        foreach (var member in new[] { NewerTables.Member, NewerTables.MemberOfCommand })
        {
            Check("a member of a definition", [member], definition.Contains(member, StringComparison.Ordinal)
                ? [member]
                : []);
        }

        if (!await load.DeleteAsync(Waiting) || !await load.DeleteAsync(Held))
        {
            report.Faults.Add("newer: a task that is held or waits for the unknown could not be deleted");
        }
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Names();

    private static string[] CronOf(string definition) =>
        definition.Contains("\"cron\"", StringComparison.Ordinal) ? ["cron"] : [];

    private void Check(string what, IReadOnlyList<string> wanted, IReadOnlyList<string> found)
    {
        if (!wanted.SequenceEqual(found, StringComparer.Ordinal))
        {
            report.Faults.Add(
                $"newer: {what} is \"{string.Join("; ", found)}\"; it was \"{string.Join("; ", wanted)}\"");
        }
    }

    /// <summary>Executes statements in one transaction, again if they were in the way of others.</summary>
    private async Task ExecuteAsync(string sql)
    {
        for (var tries = 1; ; tries++)
        {
            await using var connection = await database.ConnectAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = connection.CreateCommand();
            (command.CommandText, command.Transaction) = (Named(sql), transaction);
            try
            {
                await command.ExecuteNonQueryAsync();
                await transaction.CommitAsync();
                return;
            }
            catch (DbException) when (tries < Tries)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }

    private async Task<IReadOnlyList<string>> ReadAsync(string sql)
    {
        await using var connection = await database.ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = Named(sql);
        await using var rows = await command.ExecuteReaderAsync();
        var list = new List<string>();
        while (await rows.ReadAsync())
        {
            list.Add(string.Join(", ", Enumerable.Range(0, rows.FieldCount).Select(
                column => Convert.ToString(rows[column], CultureInfo.InvariantCulture))));
        }

        return list;
    }

    private string Named(string sql) => Names().Replace(sql, name => database.Named($"[{name.Groups[1].Value}]"));
}
