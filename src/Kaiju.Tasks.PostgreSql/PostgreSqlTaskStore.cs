using System.Data.Common;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Tasks in PostgreSQL. What happens for every stage, claims and results, are single guarded statements for whole batches; everything
/// else holds the rows that it changes and asks the lifecycle. The clock is the database's.
/// </summary>
internal sealed partial class PostgreSqlTaskStore : RelationalTaskStore, IAsyncDisposable, IDisposable
{
    private const string DatabaseClock = "(extract(epoch from clock_timestamp()) * 10000000)::bigint";
    private const int Tries = 8;
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(1);

    /// <summary>How long a batch of creations is halved, before what has no answer yet is left to its callers.</summary>
    private static readonly TimeSpan _mostHalving = TimeSpan.FromSeconds(1);

    /// <summary>How long a closing store waits for each of its own loops.</summary>
    private static readonly TimeSpan _mostClosing = TimeSpan.FromSeconds(10);

    private readonly NpgsqlDataSource _dataSource;
    private readonly Sessions _sessions;
    private readonly PostgreSqlTasksOptions _options;
    private readonly Func<DateTimeOffset>? _testTime;
    private readonly LifecycleFunction _next;
    private readonly SqlTexts _sql;
    private readonly Lazy<SqlTexts> _sqlWithoutLimits;
    private readonly OwnConnection _heartbeats;
    private readonly Batches<StageReport, ReportAnswer> _reports;
    private readonly BatchThread<NewTask, Created> _creations;
    private readonly OwnConnection _creating;
    private readonly OwnConnection? _listening;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private HintChannel? _channel;
    private volatile bool _isReady;
    private volatile bool _isDisposed;

    public PostgreSqlTaskStore(
        NpgsqlDataSource dataSource,
        PostgreSqlTasksOptions options,
        LifecycleRules rules,
        IdSource ids,
        ILogger<PostgreSqlTaskStore> logger,
        Func<DateTimeOffset>? testTime = null,
        LifecycleFunction? next = null,
        Func<string, string>? changeSql = null,
        NpgsqlDataSource? apart = null,
        TimeProvider? clock = null)
        : base(rules, ids, logger.Guarded(), clock)
    {
        PostgreSqlSchema.ThrowIfInvalid(options);
        (_dataSource, _options, _logger, _testTime, _next) = (dataSource, options, logger.Guarded(), testTime, next ?? TaskLifecycle.Next);
        SqlTexts Texts(bool isLimited) => SqlTexts.Load(
            typeof(PostgreSqlTaskStore).Assembly, PostgreSqlSchema.Words(options, testTime is null ? DatabaseClock : "@now::bigint", isLimited), changeSql);
        _sql = Texts(!LockTimeout.IsIn(dataSource));
        _sqlWithoutLimits = new Lazy<SqlTexts>(() => LockTimeout.IsIn(dataSource) ? _sql : Texts(false));
        _sessions = new Sessions(dataSource, apart);
        _heartbeats = new OwnConnection(_sessions);
        _reports = new Batches<StageReport, ReportAnswer>(RecordBatchAsync, SizeOf);
        _creating = new OwnConnection(_sessions);
        _creations = new BatchThread<NewTask, Created>(
            "Kaiju.Tasks creations",
            _patience,
            tasks => CreateBatchAsync(tasks, CancellationToken.None).AsTask().GetAwaiter().GetResult(),
            task => task.Row.Bytes);
        _listening = options.PollingOnly ? null : new OwnConnection(_sessions);
        _sessions.ThrowIfUnfit();
    }

    /// <summary>Its statements; for tests that look at plans.</summary>
    internal SqlTexts Sql => _sql;

    internal string Schema => _options.Schema;

    /// <summary>Looks at the tables, creates them if that is asked for, and begins to listen. What fails in passing is tried again a few times, and then by the next step.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_isReady)
        {
            return;
        }

        await _starting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_isReady)
            {
                if (await RepeatAsync(() => PrepareTablesAsync(cancellationToken), e => Faults.IsRolledBack(e) || Faults.IsOfConnection(e), cancellationToken).ConfigureAwait(false) is > 0 and var count)
                {
                    RelationalLog.Migrated(_logger, count);
                }

                _channel = _listening is null ? null : new HintChannel(_sessions, _listening, _options, Listeners, _logger, Ids.NewId().ToString("N"));
                _isReady = true;
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
        IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, DbTransaction transaction, CancellationToken cancellationToken)
    {
        ThrowIfNotPrepared(tasks);
        if (transaction is not NpgsqlTransaction { Connection: { } connection } own)
        {
            throw new ArgumentException(
                $"The transaction is {transaction?.GetType().Name ?? "null"}, or has ended; it must be an {nameof(NpgsqlTransaction)} on the database of the tasks.", nameof(transaction));
        }

        // What fails leaves nothing half done in the caller's transaction.
        const string Savepoint = "kaiju_create";
        try
        {
            await own.SaveAsync(Savepoint, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException e)
        {
            throw new ArgumentException("The transaction has ended; a task is created before its commit.", nameof(transaction), e);
        }

        try
        {
            // How long the caller's transaction waits is the caller's affair.
            var step = NewStep(connection, false, cancellationToken, sql: _sqlWithoutLimits.Value);
            var answers = await CreateAllAsync(step, tasks, onConflict, Ids.NewId()).ConfigureAwait(false);
            await step.FlushAsync().ConfigureAwait(false);
            if (!_options.PollingOnly && step.Hints.Kinds != StoreHintKinds.None)
            {
                // In the caller's transaction, since nobody tells us of its commit; this process hears it like every other.
                using var notify = new NpgsqlCommand("select pg_notify($1, $2)", connection);
                notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _options.Schema });
                notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = HintPayload.Write(step.Hints, sender: "") });
                await notify.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }

            await own.ReleaseAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            return answers;
        }
        catch
        {
            await RollbackAsync(own, Savepoint).ConfigureAwait(false);
            throw;
        }
    }

    public override async ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        return await RepeatAsync(
            () => _heartbeats.UseAsync(
                async connection =>
                {
                    var step = NewStep(connection, false, cancellationToken);
                    await step.ExecuteAsync("ping", Argument.Text("executor", executor.Id)).ConfigureAwait(false);
                    return await LostAsync(step, claims).ConfigureAwait(false);
                },
                cancellationToken).AsTask(),
            Faults.IsHeld,
            cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        return await RepeatAsync(
            () => _heartbeats.UseAsync(connection => LostAsync(NewStep(connection, false, cancellationToken), claims), cancellationToken).AsTask(),
            Faults.IsHeld,
            cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(
        string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        return await _heartbeats.UseAsync(
            connection => StraysAsync(NewStep(connection, false, cancellationToken), executorId, known, limit), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _starting.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                await _closing.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(CloseCreationsAsync(), IsOverAsync(_reports.DisposeAsync(), "reports")).ConfigureAwait(false);
                if (_channel is not null)
                {
                    await _channel.DisposeAsync().ConfigureAwait(false);
                }

                await _heartbeats.DisposeAsync().ConfigureAwait(false);
                _closing.Dispose();
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task CloseCreationsAsync()
    {
        if (await IsOverAsync(_creations.DisposeAsync(), "creations").ConfigureAwait(false))
        {
            await _creating.DisposeAsync().ConfigureAwait(false);
        }
        else
        {
            // Its thread still uses the connection, and ends with it.
            _creations.Abandon();
        }
    }

    /// <summary>A server that does not answer keeps no host from stopping.</summary>
    private async Task<bool> IsOverAsync(ValueTask end, string steps)
    {
        var ending = end.AsTask();
        await ending.WaitAsync(_mostClosing, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!ending.IsCompleted)
        {
            RelationalLog.ClosedEarly(_logger, steps);
        }

        return ending.IsCompleted;
    }

    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    /// <summary>One statement and one commit. After a fault in it nobody knows whether it has happened: whoever asked gives back what was claimed and not answered.</summary>
    internal override async ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(ClaimRequest request, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var faults = new List<(Guid Claim, RowFault Fault)>();
            var claimed = await AskAsync(
                step =>
                {
                    faults.Clear();
                    return step.QueryAsync(
                        WithoutSetAside(step.Sql["claim"]),
                        row => ReadClaimed(row, request.Executor, faults),
                        Argument.Texts("apps", request.Executor.Apps.Distinct()),
                        Argument.Integer("most", request.MaxTasks),
                        Argument.Long("most_bytes", request.MaxBytes),
                        Argument.Text("executor", request.Executor.Id),
                        Argument.Long("grace", Rules.AbortGrace.Ticks),
                        Except(Claiming));
                },
                e => Faults.IsRolledBack(e) || Faults.IsHeld(e),
                cancellationToken).ConfigureAwait(false);
            if (faults.Count == 0)
            {
                return claimed!;
            }

            var isLeft = faults.TrueForAll(fault => Leave(Claiming, fault.Fault));
            await MoveHeldAsync(request.Executor.Id, row => faults.Exists(fault => fault.Claim == row.State.Claim), null, cancellationToken).ConfigureAwait(false);
            claimed.RemoveAll(task => task is null);
            if (claimed.Count > 0 || !isLeft || tries == MostRepeatedClaims)
            {
                return claimed!;
            }
        }
    }

    protected override string ExceptClause => " and s.task_no <> all(@except)";

    protected override bool IsOfRow(Exception e) => Faults.IsOfData(e) || (base.IsOfRow(e) && !Faults.IsOfConnection(e));

    protected override async ValueTask<T> ReadAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) =>
        await AskAsync(act, Faults.IsPassing, cancellationToken).ConfigureAwait(false);

    // Without a transaction around it: a process that stands still between a statement and its commit would hold the row.
    protected override ValueTask<int> ExecuteAsync(string statement, Argument[] arguments, CancellationToken cancellationToken) =>
        AskAsync(step => step.ExecuteAsync(statement, arguments), Faults.IsPassing, cancellationToken);

    protected override ValueTask<T> WriteAsync<T>(Func<SqlStep, ValueTask<T>> act, CancellationToken cancellationToken) =>
        WriteAsync(false, act, waits: true, cancellationToken);

    /// <summary>Takes back what was done since a savepoint; a connection that is gone has taken back everything.</summary>
    private static async Task RollbackAsync(NpgsqlTransaction transaction, string savepoint)
    {
        try
        {
            await transaction.RollbackAsync(savepoint, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (Faults.IsOfConnection(e))
        {
            // The caller gets the fault that came first.
        }
    }

    /// <summary>How many migrations were applied; none where that is somebody else's, and then the tables must be there.</summary>
    private async Task<int> PrepareTablesAsync(CancellationToken cancellationToken)
    {
        if (_options.MigrateAtStart)
        {
            return await PostgreSqlSchema.MigrateAsync(_dataSource, _options, cancellationToken).ConfigureAwait(false);
        }

        await PostgreSqlSchema.ThrowIfNotCurrentAsync(_dataSource, _options, cancellationToken).ConfigureAwait(false);
        return 0;
    }

    /// <summary>One transaction, again after a fault that passes.</summary>
    /// <param name="isInDoubt">It was tried before, and it is not known whether that has happened.</param>
    /// <param name="act">The step.</param>
    /// <param name="waits">What another transaction holds is waited for, over and over; else the fault is the caller's.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    private async ValueTask<T> WriteAsync<T>(bool isInDoubt, Func<SqlStep, ValueTask<T>> act, bool waits, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        var passesOver = false;
        try
        {
            var (answer, step) = await RepeatAsync(
                async () =>
                {
                    var connection = await _sessions.OpenAsync(cancellationToken).ConfigureAwait(false);
                    await using (connection.ConfigureAwait(false))
                    {
                        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                        await using (transaction.ConfigureAwait(false))
                        {
                            var step = NewStep(connection, isInDoubt, cancellationToken, passesOver: passesOver);
                            var answer = await act(step).ConfigureAwait(false);
                            await step.FlushAsync().ConfigureAwait(false);
                            await CommitAsync(transaction, step, () => isInDoubt = true).ConfigureAwait(false);
                            return (answer, step);
                        }
                    }
                },
                // While it is in doubt, the holder may be the try whose answer was lost.
                e => Faults.IsHeld(e) ? (passesOver = waits) || isInDoubt : Faults.IsPassing(e),
                cancellationToken).ConfigureAwait(false);
            Tell(step);
            return answer;
        }
        catch (Exception e) when (isInDoubt && Faults.IsPassing(e))
        {
            throw new TaskOutcomeUnknownException($"The connection was lost before the store answered its commit: {e.Message}", e);
        }
    }

    /// <summary>Commits. Without an answer it is in doubt whether that has happened; what the step has to tell others is told all the same.</summary>
    private async Task CommitAsync(NpgsqlTransaction transaction, PostgreSqlStep step, Action doubt)
    {
        try
        {
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (!Faults.IsOfRefusedCommit(e))
        {
            doubt();
            Tell(step.Hints);
            throw;
        }
    }

    /// <summary>One statement, or several that need not see the same moment, without a transaction around them.</summary>
    private async ValueTask<T> AskAsync<T>(Func<PostgreSqlStep, ValueTask<T>> act, Func<Exception, bool> isPassing, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        return await RepeatAsync(
            async () =>
            {
                var connection = await _sessions.OpenAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    return await act(NewStep(connection, false, cancellationToken)).ConfigureAwait(false);
                }
            },
            isPassing,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One statement on this thread and a connection of its own, without awaiting; after a fault that passes, as everything else is asked.</summary>
    private async ValueTask<T> AskOnThreadAsync<T>(
        OwnConnection own, Func<PostgreSqlStep, ValueTask<T>> act, Func<Exception, bool> isPassing, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return own.Use(connection => act(NewStep(connection, false, cancellationToken, isBlocking: true)).AsTask().GetAwaiter().GetResult());
        }
        catch (Exception e) when (isPassing(e))
        {
            return await AskAsync(act, isPassing, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A task that has been claimed; null and a fault if this version cannot read it, and must give it back.</summary>
    private static ExecutorTask? ReadClaimed(DbDataReader row, ExecutorInfo executor, List<(Guid Claim, RowFault Fault)> faults)
    {
        try
        {
            return ReadClaimed(row, executor);
        }
        catch (Exception e) when (RowFault.IsOfReading(e))
        {
            faults.Add((row.GetGuid(1), new RowFault(row.GetInt64(11), row.GetString(9), e)));
            return null;
        }
    }

    private static ExecutorTask ReadClaimed(DbDataReader row, ExecutorInfo executor)
    {
        var jobId = row.GetString(2);
        var state = new ManagedState
        {
            State = TaskState.Executed,
            ExecutorId = executor.Id,
            Claim = row.GetGuid(1),
            JobId = jobId,
            ResultRun = jobId,
            Pass = row.GetInt32(3),
            Retries = row.GetInt32(4),
            Stage = row.GetInt32(5),
            ExecDeadline = row.Time(6),
        };
        return ExecutorTask.Of(row.Definition(0, 9, 10), state, row.Results(8), state.ExecDeadline.Value - TimeSpan.FromTicks(row.GetInt64(7)), row.GetInt64(11));
    }

    private PostgreSqlStep NewStep(
        NpgsqlConnection connection, bool isRepeated, CancellationToken cancellationToken, bool isBlocking = false, bool passesOver = false, SqlTexts? sql = null) =>
        new(connection, _testTime, sql ?? _sql, Rules, _next, NewJobId, cancellationToken) { IsRepeated = isRepeated, IsBlocking = isBlocking, PassesOver = passesOver };

    private void Tell(SqlStep step)
    {
        Tell(step.Hints);
        foreach (var (finished, next, result) in step.LostChains)
        {
            RelationalLog.ChainLost(_logger, finished, next, result);
        }
    }

    /// <summary>Tells our own listeners, and other processes unless the statement has done so.</summary>
    private void Tell(StoreHint hint, bool isTold = false)
    {
        if (hint.Kinds == StoreHintKinds.None)
        {
            return;
        }

        Listeners.Tell(hint);
        if (!isTold)
        {
            _channel?.Send(hint);
        }
    }
}
