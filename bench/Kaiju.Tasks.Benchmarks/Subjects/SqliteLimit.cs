using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Benchmarks.Subjects;

/// <summary>
/// A hand-written queue on SQLite, WAL and synchronous=FULL, without results, history or fences: one table, one
/// consumer, claims and completions of 100.
/// </summary>
internal sealed class SqliteLimit(SubjectSettings settings) : Subject
{
    private const int Batch = 100;

    private readonly SqliteConnection _producer = new($"Data Source={settings.Store};Pooling=false");
    private readonly SqliteConnection _consumer = new($"Data Source={settings.Store};Pooling=false");
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Lock _producing = new();
    private CancellationTokenSource _stop = new();
    private Thread? _worker;
    private SqliteCommand? _insert;

    public override string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"WAL, synchronous=FULL, one consumer, claims of {Batch}, each claim and each completion one transaction");

    public override bool HasBulk => true;

    public override Task OpenAsync()
    {
        foreach (var connection in (SqliteConnection[])[_producer, _consumer])
        {
            connection.Open();
            Execute(connection, "pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000");
        }

        Execute(_producer, """
            create table task (
                id integer primary key, queue text not null, type text not null, payload text not null,
                    state int not null default 0,
                attempt int not null default 0, run_at int not null, created_at int not null, locked_by text,
                    locked_until int, finished_at int);
            create index task_ready on task (queue, run_at, id) where state = 0;
            """);
        _insert = new SqliteCommand(
            "insert into task (queue, type, payload, run_at, created_at) values ('default', 'noop', @payload, @now, "
                + "@now)",
            _producer);
        _insert.Parameters.Add("@payload", SqliteType.Text);
        _insert.Parameters.Add("@now", SqliteType.Integer);
        return Task.CompletedTask;
    }

    public override Task CreateAsync(int job)
    {
        lock (_producing)
        {
            Insert(job);
        }

        _wake.Release();
        return Task.CompletedTask;
    }

    public override Task CreateManyAsync(int first, int count)
    {
        using (var transaction = _producer.BeginTransaction())
        {
            _insert!.Transaction = transaction;
            for (var job = first; job < first + count; job++)
            {
                Insert(job);
            }

            transaction.Commit();
            _insert.Transaction = null;
        }

        _wake.Release();
        return Task.CompletedTask;
    }

    public override Task StartWorkersAsync()
    {
        _stop = new CancellationTokenSource();
        _worker = new Thread(Work);
        _worker.Start();
        return Task.CompletedTask;
    }

    public override async Task StopWorkersAsync()
    {
        await _stop.CancelAsync();
        _worker!.Join();
        _stop.Dispose();
    }

    public override Task<long> CountLeftAsync()
    {
        using var command = new SqliteCommand("select count(*) from task where state < 2", _producer);
        return Task.FromResult((long)command.ExecuteScalar()!);
    }

    public override async ValueTask DisposeAsync()
    {
        _insert?.Dispose();
        await _producer.DisposeAsync();
        await _consumer.DisposeAsync();
        _wake.Dispose();
    }

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private void Insert(int job)
    {
        _insert!.Parameters[0].Value = job.ToString(CultureInfo.InvariantCulture);
        _insert.Parameters[1].Value = Now();
        _insert.ExecuteNonQuery();
    }

    private void Wait()
    {
        try
        {
            _wake.Wait(TimeSpan.FromSeconds(1), _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The workers stop.
        }
    }

    private void Work()
    {
        using var claim = new SqliteCommand(
            """
            update task set state = 1, attempt = attempt + 1, locked_by = 'w', locked_until = @now + 30000
            where id in (select id from task where queue = 'default' and state = 0 and run_at <= @now order by run_at,
                id limit @batch) returning id, payload
            """,
            _consumer);
        claim.Parameters.AddWithValue("@batch", Batch);
        claim.Parameters.Add("@now", SqliteType.Integer);
        using var done = new SqliteCommand(
            "update task set state = 2, locked_by = null, locked_until = null, finished_at = @now where id = @id and "
                + "state = 1",
            _consumer);
        done.Parameters.Add("@now", SqliteType.Integer);
        done.Parameters.Add("@id", SqliteType.Integer);
        var (ids, payloads) = (new List<long>(), new List<string>());
        while (!_stop.IsCancellationRequested)
        {
            ids.Clear();
            payloads.Clear();
            claim.Parameters[1].Value = Now();
            using (var rows = claim.ExecuteReader())
            {
                while (rows.Read())
                {
                    ids.Add(rows.GetInt64(0));
                    payloads.Add(rows.GetString(1));
                }
            }

            if (ids.Count == 0)
            {
                Wait();
                continue;
            }

            payloads.ForEach(payload => Meter.Hit(int.Parse(payload, CultureInfo.InvariantCulture)));
            done.Parameters[0].Value = Now();
            using var transaction = _consumer.BeginTransaction();
            done.Transaction = transaction;
            foreach (var id in ids)
            {
                done.Parameters[1].Value = id;
                done.ExecuteNonQuery();
            }

            transaction.Commit();
            done.Transaction = null;
        }
    }
}
