using System.Data.Common;
using System.Globalization;

namespace Kaiju.Tasks.Faults;

/// <summary>
/// Transactions of other clients that only hold locks for seconds: rows of tasks, ids that are about to be created, or
/// in SQLite the file. An executor's work beside a held row must not stop.
/// </summary>
internal sealed class Holder(FaultDatabase database, Random random, RunReport report)
{
    private const int Executing = 2;

    private static readonly TimeProvider _clock = TimeProvider.System;

    private sealed record Running(long TaskNo, string Executor, int Stage, Guid Claim);

    public Task HoldAsync(string store) => store == "sqlite"
        ? HoldFileAsync(TimeSpan.FromMilliseconds(random.Next(100, 1500)))
        : Task.WhenAll(
            HoldRunningAsync(TimeSpan.FromMilliseconds(random.Next(2500, 4000))),
            HoldAnyAsync(random.Next(1, 6), TimeSpan.FromMilliseconds(random.Next(500, 4000))),
            HoldNewIdsAsync(random.Next(1, 30), TimeSpan.FromMilliseconds(random.Next(200, 2000))));

    /// <summary>
    /// Holds one row of an executor that runs several; the others must have moved on when it is released.
    /// </summary>
    private async Task HoldRunningAsync(TimeSpan time)
    {
        var before = (await RunningAsync()).GroupBy(running => running.Executor).MaxBy(own => own.Count())?.ToList()
            ?? [];
        if (before.Count == 0)
        {
            return;
        }

        var held = before[random.Next(before.Count)].TaskNo;
        await using var connection = await database.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(
            transaction,
            string.Create(CultureInfo.InvariantCulture, $"select 1 from [states] where task_no = {held} for update"));
        await Task.Delay(time, _clock);
        var still = (await RunningAsync()).Intersect(before).Where(running => running.TaskNo != held)
            .Select(running => running.TaskNo).ToList();

        // Rows that other transactions of this round hold cannot move.
        var free = await ReadAsync(
            transaction,
            $"select task_no from [states] where task_no in ({string.Join(',', still.DefaultIfEmpty(-1))}) for update "
                + $"skip locked");
        await transaction.RollbackAsync();
        if (free.Count > 0)
        {
            report.Faults.Add($"{free.Count} tasks did not move for {time.TotalSeconds:0.0} s beside a held one");
        }
    }

    private async Task HoldAnyAsync(int rows, TimeSpan time)
    {
        await using var connection = await database.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(transaction, string.Create(
            CultureInfo.InvariantCulture,
            $"select 1 from [states] s join [tasks] t on t.task_no = s.task_no where s.state <> 5 order by random() "
                + $"limit {rows} for update skip locked"));
        await Task.Delay(time, _clock);
        await transaction.RollbackAsync();
    }

    /// <summary>The ids of tasks that the client creates next.</summary>
    private async Task HoldNewIdsAsync(int ids, TimeSpan time)
    {
        await using var connection = await database.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(transaction, string.Create(
            CultureInfo.InvariantCulture,
            $"""
            insert into [tasks] (id, creation, created, revision, app, is_periodic, definition)
            select 'task-' || lpad(((select count(*) from [tasks]) + {random.Next(40)} + 7 * i)::text, 6, '0'),
                gen_random_uuid(), 0, 0, 'other', false, '' from generate_series(1, {ids}) i
            on conflict (id) do nothing
            """));
        await Task.Delay(time, _clock);
        await transaction.RollbackAsync();
    }

    /// <summary>The one lock of a file, for less than the writers' busy timeout.</summary>
    private async Task HoldFileAsync(TimeSpan time)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 500)), _clock);
        await using var connection = await database.ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Task.Delay(time, _clock);
        await transaction.RollbackAsync();
    }

    private async Task<List<Running>> RunningAsync() => await database.QueryAsync(
        $"select task_no, executor_id, stage, claim from [states] where state = {Executing}",
        row => new Running(row.GetInt64(0), row.GetString(1), row.GetInt32(2), row.GetGuid(3)));

    private Task ExecuteAsync(DbTransaction transaction, string sql) => ReadAsync(transaction, sql);

    private async Task<List<long>> ReadAsync(DbTransaction transaction, string sql)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = database.Named(sql);
        await using var rows = await command.ExecuteReaderAsync();
        var list = new List<long>();
        while (await rows.ReadAsync())
        {
            list.Add(Convert.ToInt64(rows.GetValue(0), CultureInfo.InvariantCulture));
        }

        return list;
    }
}
