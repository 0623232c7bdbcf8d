using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// Records reports: each result with a guarded statement, everything else by loading its task and asking the lifecycle.
/// See docs/decisions/0005.
/// </summary>
internal sealed class ReportBatches : ReportRecording, IAsyncDisposable
{
    private static readonly string[] _recordArguments = ["@task_no", "@claim", "@stage", "@bytes", "@now"];
    private static readonly string[] _taskArgument = ["@task_no"];

    private readonly SqliteSession _session;
    private readonly Batches<StageReport, ReportAnswer> _batches;

    public ReportBatches(SqliteSession session)
    {
        _session = session;
        _batches = new Batches<StageReport, ReportAnswer>(RecordBatchAsync, SizeOf);
    }

    public override ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _batches.AddAsync(reports, cancellationToken);
    }

    /// <summary>Completes when every report that was added before is answered.</summary>
    public ValueTask DisposeAsync() => _batches.DisposeAsync();

    /// <summary>
    /// Records a batch. If the database refuses a value, each report is recorded alone, so that each has its own
    /// answer.
    /// </summary>
    private async ValueTask<IReadOnlyList<ReportAnswer>> RecordBatchAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        try
        {
            return await RecordTogetherAsync(reports, cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Data
            && reports is [{ Outcome: StageOutcome.Done } report])
        {
            var error = TaskError.Create(TaskErrorKind.Result, $"The store cannot hold the result: {e.Message}");
            var failed = report.WithOutcome(StageOutcome.Failed(error));
            return await RecordTogetherAsync([failed], cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Data && reports.Count > 1)
        {
            var answers = new List<ReportAnswer>();
            foreach (var each in reports)
            {
                answers.AddRange(await RecordBatchAsync([each], cancellationToken).ConfigureAwait(false));
            }

            return answers;
        }
    }

    private ValueTask<IReadOnlyList<ReportAnswer>> RecordTogetherAsync(
        IReadOnlyList<StageReport> reports,
        CancellationToken cancellationToken) => _session.WriteAsync<IReadOnlyList<ReportAnswer>>(
        async step =>
        {
            var answers = new ReportAnswer[reports.Count];
            var others = Enumerable.Range(0, answers.Length).ToHashSet();
            var now = await step.NowAsync().ConfigureAwait(false);
            foreach (var place in FindDoneAlone(reports))
            {
                if (Record((SqliteStep)step, reports[place], now))
                {
                    others.Remove(place);
                }
            }

            // Failures, waits, ends that notify or start others, and reports that are recorded already or superseded.
            var places = others.Order().ToList();
            var decided = places.Count == 0
                ? []
                : await DecideAsync(
                    step, places.ConvertAll(place => reports[place])).ConfigureAwait(false);
            foreach (var (place, answer) in places.Zip(decided))
            {
                answers[place] = answer;
            }

            return answers;
        },
        cancellationToken);

    /// <summary>Records a result if the statement may do so; false if the lifecycle must decide.</summary>
    private static bool Record(SqliteStep step, StageReport report, DateTimeOffset now)
    {
        var result = ((StageOutcome.Done)report.Outcome).Result;
        var changed = step.KeptOpen("record", _recordArguments)
            .With(report.StoreKey)
            .With(report.Claim)
            .With((long)report.Stage)
            .With(TaskRow.SizeOf(result))
            .With(Ticks.Of(now))
            .Change();
        if (changed == 0)
        {
            return false;
        }

        using var row = step.KeptOpen("recorded", _taskArgument).With(report.StoreKey).Run();
        if ((TaskState)row.Integer(3) == TaskState.Finished)
        {
            var isPeriodic = ((TaskTraits)row.Integer(4)).HasFlag(TaskTraits.Periodic);
            step.Hint(
                isPeriodic ? StoreHintKinds.Ended | StoreHintKinds.Duty : StoreHintKinds.Ended, null, report.TaskId);
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
}
