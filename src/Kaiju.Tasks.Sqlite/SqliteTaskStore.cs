using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// Keeps tasks in a SQLite file, with one writer for each process and concurrent readers. The clock is the machine's,
/// which all processes on the file share.
/// </summary>
internal sealed class SqliteTaskStore : RelationalTaskStore, IAsyncDisposable, IDisposable
{
    private readonly StoreParts _parts;
    private readonly SqliteSession _session;
    private readonly ReportBatches _reports;

    public SqliteTaskStore(
        SqliteTasksOptions options,
        TimeProvider clock,
        LifecycleRules rules,
        IdSource ids,
        ILogger<SqliteTaskStore> logger,
        LifecycleFunction? next = null,
        Func<string, string>? changeSql = null)
    {
        SqliteSchema.ThrowIfInvalid(options);
        var sql = SqlTexts.Load(typeof(SqliteTaskStore).Assembly, SqliteSchema.Words(options), changeSql);
        _parts = new StoreParts(rules, next ?? TaskLifecycle.Next, ids, sql, clock, logger.Guarded());
        _session = new SqliteSession(options, clock, _parts);
        _reports = new ReportBatches(_session);

        var moves = new RowMoves(_session, _parts);
        Claims = new SqliteClaims(_session, _parts);
        Executors = new ExecutorPort(_session, _parts, moves);
        Creation = new TaskCreation(_session, _parts);
        Reading = new TaskReading(_session, _parts);
        Steering = new TaskSteering(_session, _parts);
        Duties = new ManagerDuties(_session, _parts, moves);
        Notifications = new NotificationStore(_session, _parts);
        InCallersTransaction = new CallersTransaction(_session, _parts, options);
    }

    public override ITransactionalCreation InCallersTransaction { get; }

    internal override QueueClaims Claims { get; }

    /// <summary>The statements; for tests that look at plans.</summary>
    internal SqlTexts Sql => _parts.Sql;

    protected override ReportRecording Reports => _reports;

    protected override ExecutorPort Executors { get; }

    protected override TaskCreation Creation { get; }

    protected override TaskReading Reading { get; }

    protected override TaskSteering Steering { get; }

    protected override ManagerDuties Duties { get; }

    protected override NotificationStore Notifications { get; }

    protected override HintListeners Listeners => _parts.Listeners;

    /// <summary>Prepares the store for its first step, which otherwise does it.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _session.StartAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        // First, because running reports may have to start the writer.
        await _reports.DisposeAsync().ConfigureAwait(false);
        await _session.DisposeAsync().ConfigureAwait(false);
    }

    // Not on the caller's thread, which may be the only one of its context.
    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();
}
