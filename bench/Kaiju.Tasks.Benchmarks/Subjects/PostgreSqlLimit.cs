using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Kaiju.Tasks.Benchmarks.Subjects;

/// <summary>
/// A hand-written queue on PostgreSQL, without results, history or fences: one narrow table, one partial index,
/// prepared statements, 8 consumers. Throughput: claims and completions of 100. Latency: claims of one, NOTIFY in the
/// insert, LISTEN.
/// </summary>
internal sealed class PostgreSqlLimit(SubjectSettings settings) : Subject
{
    private const int Consumers = 8;
    private const string Claim = """
        with c as (select id from task where queue = $1 and state = 0 and run_at <= now() order by run_at,
            id limit $2 for update skip locked)
        update task t set state = 1, attempt = attempt + 1, locked_by = $3, locked_until = now() + interval '30 s'
            from c where t.id = c.id
        returning t.id, t.payload
        """;

    private const string Done =
        "update task set state = 2, locked_by = null, locked_until = null, finished_at = now() where id = any($1) and "
            + "state = 1";
    private const string Insert = "insert into task (queue, type, payload) values ($1, $2, $3)";
    private const string InsertAndTell =
        "with n as (insert into task (queue, type, payload) values ($1, $2, $3) returning id) select "
            + "pg_notify('task', '') from n";

    private readonly int _batch = settings.Capacity > 0 ? settings.Capacity : 100;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly List<Task> _workers = [];
    private readonly NpgsqlDataSource _source =
        NpgsqlDataSource.Create(
            $"{settings.Store};Max Auto Prepare=50;Auto Prepare Min Usages=1;No Reset On Close=true;Minimum Pool "
                + $"Size=10");

    private CancellationTokenSource _stop = new();

    public override string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{Consumers} consumers, SKIP LOCKED claims of {_batch}, one update per batch, prepared, rows kept; latency: "
            + $"claims of 1, NOTIFY in the insert, LISTEN");

    public override bool HasBulk => true;

    private bool Listens => _batch == 1;

    public override async Task OpenAsync()
    {
        if (settings.IsFirst)
        {
            await using var command = _source.CreateCommand("""
                create table task (
                    id bigint generated always as identity primary key, queue text not null, type text not null,
                        payload text not null,
                    state smallint not null default 0, attempt int not null default 0,
                        run_at timestamptz not null default now(),
                    created_at timestamptz not null default now(), locked_by text, locked_until timestamptz,
                        finished_at timestamptz);
                create index task_ready on task (queue, run_at, id) where state = 0;
                """);
            await command.ExecuteNonQueryAsync();
        }
    }

    public override async Task CreateAsync(int job)
    {
        await using var command = _source.CreateCommand(Listens ? InsertAndTell : Insert);
        command.Parameters.Add(new() { Value = "default" });
        command.Parameters.Add(new() { Value = "noop" });
        command.Parameters.Add(new() { Value = job.ToString(CultureInfo.InvariantCulture) });
        await command.ExecuteNonQueryAsync();
    }

    public override async Task CreateManyAsync(int first, int count)
    {
        await using var connection = await _source.OpenConnectionAsync();
        await using var writer = await connection.BeginBinaryImportAsync(
            "copy task (queue, type, payload) from stdin (format binary)");
        for (var job = first; job < first + count; job++)
        {
            await writer.StartRowAsync();
            await writer.WriteAsync("default", NpgsqlDbType.Text);
            await writer.WriteAsync("noop", NpgsqlDbType.Text);
            await writer.WriteAsync(job.ToString(CultureInfo.InvariantCulture), NpgsqlDbType.Text);
        }

        await writer.CompleteAsync();
    }

    public override async Task StartWorkersAsync()
    {
        _stop = new CancellationTokenSource();
        if (Listens)
        {
            var isUp = new TaskCompletionSource();
            _workers.Add(Task.Run(() => ListenAsync(isUp)));
            await isUp.Task;
        }

        for (var consumer = 0; consumer < Consumers; consumer++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"w{consumer}");
            _workers.Add(Task.Run(() => WorkAsync(name)));
        }
    }

    public override async Task StopWorkersAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _workers.Clear();
        _stop.Dispose();
    }

    public override async Task<long> CountLeftAsync()
    {
        await using var command = _source.CreateCommand(
            "select count(*) from task where (state = 0 and run_at <= now()) or state = 1");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public override async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        _wake.Dispose();
    }

    private async Task ListenAsync(TaskCompletionSource isUp)
    {
        await using var connection = new NpgsqlConnection($"{settings.Store};Pooling=false");
        await connection.OpenAsync();
        connection.Notification += (_, _) => _wake.Release();
        await using (var command = new NpgsqlCommand("listen task", connection))
        {
            await command.ExecuteNonQueryAsync();
        }

        isUp.SetResult();
        while (!_stop.IsCancellationRequested)
        {
            await connection.WaitAsync(_stop.Token);
        }
    }

    private async Task WorkAsync(string name)
    {
        await using var connection = await _source.OpenConnectionAsync();
        var (ids, payloads) = (new List<long>(), new List<string>());
        while (!_stop.IsCancellationRequested)
        {
            ids.Clear();
            payloads.Clear();
            await using (var claim = new NpgsqlCommand(Claim, connection)
            {
                Parameters = { new() { Value = "default" }, new() { Value = _batch }, new() { Value = name } },
            })
            {
                await using var rows = await claim.ExecuteReaderAsync();
                while (await rows.ReadAsync())
                {
                    ids.Add(rows.GetInt64(0));
                    payloads.Add(rows.GetString(1));
                }
            }

            if (ids.Count == 0)
            {
                await WaitAsync();
                continue;
            }

            payloads.ForEach(payload => Meter.Hit(int.Parse(payload, CultureInfo.InvariantCulture)));
            await using var done = new NpgsqlCommand(Done, connection)
            {
                Parameters = { new() { Value = ids.ToArray() } },
            };
            await done.ExecuteNonQueryAsync();
        }
    }

    private async Task WaitAsync() => await (Listens
        ? _wake.WaitAsync(TimeSpan.FromSeconds(5), _stop.Token)
        : Task.Delay(
            TimeSpan.FromMilliseconds(5),
            TimeProvider.System,
            _stop.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
