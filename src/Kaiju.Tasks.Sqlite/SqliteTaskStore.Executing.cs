using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <content>What happens for every stage: claims and results, each by a guarded statement of its own; everything else loads its task and asks the lifecycle.</content>
internal sealed partial class SqliteTaskStore
{
    private static readonly string[] _claimArguments = ["@task_no", "@claim", "@executor", "@now", "@grace"];
    private static readonly string[] _taskArgument = ["@task_no"];
    private static readonly string[] _recordArguments = ["@task_no", "@claim", "@stage", "@bytes", "@now"];

    public override ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _reports.AddAsync(reports, cancellationToken);
    }

    internal override ValueTask<IReadOnlyList<ExecutorTask>> ClaimNextAsync(ClaimRequest request, CancellationToken cancellationToken) => WriteAsync<IReadOnlyList<ExecutorTask>>(
        async step =>
        {
            var claimed = new List<ExecutorTask>();
            for (var tries = 0; tries < MostRepeatedClaims && await ClaimNextAsync((SqliteStep)step, request, claimed).ConfigureAwait(false); tries++)
            {
                // All of them were set aside; others may stand behind them.
            }

            if (claimed.Count > 0)
            {
                // Known from its first claim on, so that it is found dead if it dies before its first ping.
                var now = await step.NowAsync().ConfigureAwait(false);
                await step.ExecuteAsync("know_executor", Argument.Text("executor", request.Executor.Id), Argument.Long("ping", Ticks.Of(now))).ConfigureAwait(false);
            }

            return claimed;
        },
        cancellationToken);

    /// <summary>Claims the next tasks; true if there were some, and all of them were set aside.</summary>
    private async ValueTask<bool> ClaimNextAsync(SqliteStep step, ClaimRequest request, List<ExecutorTask> claimed)
    {
        var (now, faults) = (await step.NowAsync().ConfigureAwait(false), new List<RowFault>());
        foreach (var task in Within(request, await QueuedAsync(step, request).ConfigureAwait(false)))
        {
            if (await ClaimAsync(step, request.Executor, task, now, faults).ConfigureAwait(false) is { } claim)
            {
                claimed.Add(claim);
            }
        }

        return faults.Count > 0 && faults.TrueForAll(fault => Leave(Claiming, fault)) && claimed.Count == 0;
    }

    private async ValueTask<List<QueuedRow>> QueuedAsync(SqlStep step, ClaimRequest request)
    {
        var queued = new List<QueuedRow>();
        foreach (var app in request.Executor.Apps.Distinct())
        {
            queued.AddRange(await step.QueryAsync(
                WithoutSetAside(_sql["queued"]),
                row => new QueuedRow(row.GetInt64(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3)),
                Argument.Text("app", app),
                Argument.Integer("most", request.MaxTasks),
                Except(Claiming)).ConfigureAwait(false));
        }

        return queued;
    }

    /// <summary>The first of these that may be claimed together: at least one, at most so many tasks and bytes.</summary>
    private static IEnumerable<long> Within(ClaimRequest request, List<QueuedRow> queued)
    {
        var bytes = 0L;
        return queued.OrderByDescending(row => row.Priority).ThenBy(row => row.QueuedAt).ThenBy(row => row.TaskNo)
            .Take(request.MaxTasks)
            .TakeWhile((row, place) => (bytes += row.Bytes) <= request.MaxBytes || place == 0)
            .Select(row => row.TaskNo);
    }

    /// <summary>Claims a task that is queued; one that this version cannot read is noted and left as it is.</summary>
    private async ValueTask<ExecutorTask?> ClaimAsync(SqliteStep step, ExecutorInfo executor, long taskNo, DateTimeOffset now, List<RowFault> faults)
    {
        var claim = Ids.NewId();
        if (ReadQueued(step, executor, taskNo, claim, now, faults) is not var (task, results, runNo, pass))
        {
            return null;
        }

        if (results > 0)
        {
            try
            {
                task = task with { Result = await ResultsAsync(step, taskNo, runNo, pass).ConfigureAwait(false) };
            }
            catch (JsonException e)
            {
                faults.Add(new RowFault(taskNo, task.Id, e));
                return null;
            }
        }

        return step.Hot("claim", _claimArguments).With(taskNo).With(claim).With(executor.Id).With(Ticks.Of(now)).With(Rules.AbortGrace.Ticks).Change() == 0 ? null : task;
    }

    /// <summary>A queued task as it is once it has the claim.</summary>
    private static (ExecutorTask Task, int Results, int RunNo, int Pass)? ReadQueued(
        SqliteStep step, ExecutorInfo executor, long taskNo, Guid claim, DateTimeOffset now, List<RowFault> faults)
    {
        using var row = step.Hot("claimed", _taskArgument).With(taskNo).Run();
        var id = row.Text(9);
        try
        {
            var jobId = row.Text(0);
            var state = new ManagedState
            {
                State = TaskState.Executed,
                ExecutorId = executor.Id,
                Claim = claim,
                JobId = jobId,
                ResultRun = jobId,
                Pass = row.Integer(1),
                Retries = row.Integer(2),
                Stage = row.Integer(3),
                QueuedAt = Ticks.Time(row.Long(11)),
                ExecDeadline = now + TimeSpan.FromTicks(row.Long(4)),
            };
            var definition = ReaderExtensions.ParseDefinition(row.Bytes(10), id, row.Text(8));
            return (ExecutorTask.Of(definition, state, [], now, taskNo), row.Integer(5), row.Integer(6), row.Integer(7));
        }
        catch (Exception e) when (RowFault.IsOfReading(e))
        {
            faults.Add(new RowFault(taskNo, id, e));
            return null;
        }
    }

    private static async ValueTask<IReadOnlyList<JsonElement>> ResultsAsync(SqlStep step, long taskNo, int runNo, int pass) => (await step.QueryAsync(
        "results_of",
        reader => reader.Results(0),
        Argument.Long("task_no", taskNo),
        Argument.Integer("run_no", runNo),
        Argument.Integer("pass", pass)).ConfigureAwait(false))[0];

    /// <summary>Records a batch. One that the file cannot hold is taken apart, so that each report has its own answer.</summary>
    private async ValueTask<IReadOnlyList<ReportAnswer>> RecordBatchAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        try
        {
            return await RecordTogetherAsync(reports, cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Data)
        {
            if (reports is [{ Outcome: StageOutcome.Done } report])
            {
                var error = TaskError.Create(TaskErrorKind.Result, $"The store cannot hold the result: {e.Message}");
                return await RecordTogetherAsync([report with { Outcome = StageOutcome.Failed(error) }], cancellationToken).ConfigureAwait(false);
            }

            if (reports.Count == 1)
            {
                throw;
            }

            var answers = new List<ReportAnswer>();
            foreach (var each in reports)
            {
                answers.AddRange(await RecordBatchAsync([each], cancellationToken).ConfigureAwait(false));
            }

            return answers;
        }
    }

    private ValueTask<IReadOnlyList<ReportAnswer>> RecordTogetherAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken) => WriteAsync<IReadOnlyList<ReportAnswer>>(
        async step =>
        {
            var answers = new ReportAnswer[reports.Count];
            var others = Enumerable.Range(0, answers.Length).ToHashSet();
            var now = await step.NowAsync().ConfigureAwait(false);
            foreach (var place in DoneAlone(reports))
            {
                if (Record((SqliteStep)step, reports[place], now))
                {
                    others.Remove(place);
                }
            }

            // Failures, waits, ends that tell or start others, and what is recorded already or superseded.
            var places = others.Order().ToList();
            var decided = places.Count == 0 ? [] : await RecordAllAsync(step, places.ConvertAll(place => reports[place])).ConfigureAwait(false);
            foreach (var (place, answer) in places.Zip(decided))
            {
                answers[place] = answer;
            }

            return answers;
        },
        cancellationToken);

    /// <summary>Records a result if the statement may; false if the lifecycle is to decide.</summary>
    private static bool Record(SqliteStep step, StageReport report, DateTimeOffset now)
    {
        var result = ((StageOutcome.Done)report.Outcome).Result;
        if (step.Hot("record", _recordArguments).With(report.StoreKey).With(report.Claim).With((long)report.Stage).With(TaskRow.SizeOf(result)).With(Ticks.Of(now)).Change() == 0)
        {
            return false;
        }

        using var row = step.Hot("recorded", _taskArgument).With(report.StoreKey).Run();
        if ((TaskState)row.Integer(3) == TaskState.Finished)
        {
            step.Hint(((TaskTraits)row.Integer(4)).HasFlag(TaskTraits.Periodic) ? StoreHintKinds.Ended | StoreHintKinds.Duty : StoreHintKinds.Ended, null, report.TaskId);
        }

        step.AddResult(new EntryRow(report.StoreKey, row.Integer(0), new StageEntry
        {
            JobId = report.JobId,
            Pass = row.Integer(1),
            Stage = report.Stage,
            Attempt = row.Integer(2) + 1,
            Started = now - report.Elapsed,
            Finished = now,
            Claim = report.Claim,
            Result = result,
        }));
        return true;
    }

    private readonly record struct QueuedRow(long TaskNo, int Priority, long QueuedAt, long Bytes);
}
