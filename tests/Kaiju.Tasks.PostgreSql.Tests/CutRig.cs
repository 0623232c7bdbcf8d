using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.TestServers;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// A schema with two stores: a proxy cuts off the commits of one, and the other is undisturbed. Their time advances at
/// every read, and by hand.
/// </summary>
internal sealed class CutRig : IAsyncDisposable
{
    public static readonly ExecutorInfo Executor = new()
    {
        Id = "executor",
        AppName = "default",
        Apps = ["default"],
        Capacity = 10,
    };

    private static int _schemas;

    private readonly NpgsqlDataSource _direct;
    private readonly NpgsqlDataSource _cut;
    private readonly PostgreSqlTaskStore _store;
    private readonly PostgreSqlTaskStore _beside;
    private readonly IDisposable _listening;
    private long _now = new DateTimeOffset(2024, 6, 15, 12, 0, 30, TimeSpan.Zero).UtcTicks;
    private int _heard;

    private CutRig(NpgsqlDataSource direct, NpgsqlDataSource cut, CommitProxy proxy)
    {
        (_direct, _cut, Proxy) = (direct, cut, proxy);
        var options = new PostgreSqlTasksOptions { Schema = Schema, PollingOnly = true };
        var rules = new LifecycleRules { AbortGrace = TimeSpan.Zero };
        _beside = new PostgreSqlTaskStore(direct, options, rules, IdSource.Random, new Interruption(this), Now);
        _store = new PostgreSqlTaskStore(cut, options, rules, IdSource.Random, new Interruption(this), Now, Next);
        Queue = new RelationalTaskQueue(_store, TimeProvider.System);
        _listening = Store.Listen(hint => _heard |= (int)hint.Kinds);
    }

    public string Schema { get; } = $"cut_{Interlocked.Increment(ref _schemas)}";

    public CommitProxy Proxy { get; }

    /// <summary>The store behind the proxy, and its queue.</summary>
    public ITaskStore Store => _store;

    public RelationalTaskQueue Queue { get; }

    /// <summary>The undisturbed store.</summary>
    public ITaskStore Beside => _beside;

    public NpgsqlDataSource DataSource => _direct;

    /// <summary>The hints that the store behind the proxy gave in its own process.</summary>
    public StoreHintKinds Heard => (StoreHintKinds)_heard;

    /// <summary>An action between a failed try and the next one; runs once.</summary>
    public Func<Task>? BetweenTries { get; set; }

    /// <summary>An action before the store behind the proxy decides about an event.</summary>
    public Func<TaskEvent, Task>? BeforeEvent { get; set; }

    public static async Task<CutRig> StartAsync()
    {
        var connectionString = (await Servers.PostgresAsync()).ConnectionString(await Servers.DatabaseAsync());
        var direct = new NpgsqlConnectionStringBuilder(connectionString);
        var proxy = new CommitProxy(direct.Port);
        var through = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = proxy.Port };
        var rig = new CutRig(
            DedicatedDataSource.Build(connectionString, false),
            DedicatedDataSource.Build(through.ToString(), false),
            proxy);
        await rig._beside.StartAsync(default);
        await rig._store.StartAsync(default);
        return rig;
    }

    /// <summary>Cuts off the next commit of the store.</summary>
    public void CutNext(CutMoment moment) => Proxy.HarmNext(new CommitHarm(moment, CutKind.Close), 1, _ => true);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _now, by.Ticks);

    public DateTimeOffset Now() => new(Interlocked.Increment(ref _now), TimeSpan.Zero);

    /// <summary>Replaces [name] by the name of the table.</summary>
    public string Named(string sql) =>
        sql.Replace("[", $"{Schema}.", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);

    public async Task ExecuteAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(Named(sql));
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> AskAsync<T>(string sql)
    {
        await using var command = DataSource.CreateCommand(Named(sql));
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Everything stored, except generated ids and times, which differ between runs of a test.</summary>
    public Task<string> DumpAsync() => AskAsync<string>(
        """
        select coalesce(string_agg(line, E'\n' order by line), '') from (
            select 'task ' || concat_ws(' ', t.id, t.revision, s.revision, s.run_no, s.result_run_no, s.results,
                s.result_bytes, s.state, s.stage, s.pass, s.result_pass,
                s.retries, s.interruptions, s.wait, s.chain, s.skipped, s.enabled, s.priority, s.executor_id,
                    s.claim is null, s.exit_code, s.report_stage, s.report_kind, s.duty,
                s.due is null, s.overdue is null, s.ended is null, s.next_run is null, s.retry_at is null,
                    s.job_id = coalesce(s.result_run, s.job_id), t.is_periodic,
                (select count(distinct u.job_id) from [runs] u where u.task_no = s.task_no
                    and u.job_id <> s.job_id)) as line
            from [tasks] t join [states] s on s.task_no = t.task_no
            union all select 'result ' || concat_ws(' ', t.id, r.run_no, r.pass, r.stage, r.attempt, r.claim is null,
                r.result) from [results] r left join [tasks] t using (task_no)
            union all select 'failure ' || concat_ws(' ', t.id, f.run_no, f.pass, f.stage, f.attempt,
                f.claim is null) from [failures] f left join [tasks] t using (task_no)
            union all select 'run ' || concat_ws(' ', t.id, u.run_no, u.pass, u.state, u.exit_code, u.retries,
                u.chain) from [runs] u left join [tasks] t using (task_no)
            union all select 'notification ' || concat_ws(' ', n.task_id, n.user_id, n.state, n.is_final, n.exit_code,
                n.result, n.is_read, n.is_delivered,
                row_number() over (partition by n.task_id order by n.id)) from [notifications] n
            union all select 'executor ' || e.id from [executors] e
            union all select 'hold ' || concat_ws(' ', t.id, s.hold, s.method, s.put_backs) from [states] s
                join [tasks] t using (task_no)
            union all select 'pause ' || concat_ws(' ', p.app, p.method, p.reason) from [pauses] p
            union all select 'routed ' || concat_ws(' ', h.app, h.method, h.hold) from [holds] h
            union all select 'watch ' || count(*) from [watch]
            union all select 'states ' || count(*) from [states]) lines
        """);

    public async ValueTask DisposeAsync()
    {
        _listening.Dispose();
        Queue.Dispose();
        await _store.DisposeAsync();
        await _beside.DisposeAsync();
        await _cut.DisposeAsync();
        await Proxy.DisposeAsync();
        await ExecuteAsync($"drop schema {Schema} cascade");
        await _direct.DisposeAsync();
    }

    private Transition? Next(
        TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset now, LifecycleRules rules)
    {
        if (BeforeEvent is { } before)
        {
            Task.Run(() => before(happened)).GetAwaiter().GetResult();
        }

        return TaskLifecycle.Next(task, state, happened, now, rules);
    }

    /// <summary>Runs the action between two tries when the store logs a retry.</summary>
    private sealed class Interruption(CutRig rig) : ILogger<PostgreSqlTaskStore>
    {
        private const int StepRepeated = 503;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == StepRepeated && rig.BetweenTries is { } between)
            {
                rig.BetweenTries = null;
                Task.Run(between).GetAwaiter().GetResult();
            }
        }
    }
}
