using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <content>How reports are carried out: results of many stages by one guarded statement, everything else while rows are held.</content>
internal sealed partial class PostgreSqlTaskStore
{
    private async ValueTask<IReadOnlyList<ReportAnswer>> RecordBatchAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        var answers = new ReportAnswer?[reports.Count];

        var done = DoneAlone(reports).ConvertAll(place => (Place: place, Report: reports[place]));
        if (done.Count > 0)
        {
            foreach (var place in await RecordDoneAsync(reports, done, cancellationToken).ConfigureAwait(false))
            {
                answers[place] = ReportAnswer.Recorded;
            }
        }

        // Failures, waits, ends that start another task, and what is recorded already or superseded.
        var others = Enumerable.Range(0, answers.Length).Where(place => answers[place] is null).ToList();
        if (others.Count > 0)
        {
            var decided = await RecordOthersAsync([.. others.Select(place => reports[place])], cancellationToken).ConfigureAwait(false);
            foreach (var (place, answer) in others.Zip(decided))
            {
                answers[place] = answer;
            }
        }

        return [.. answers.Select(answer => answer!.Value)];
    }

    /// <summary>Results whose statement answered for them, by their places. What it did not answer for is decided the other way.</summary>
    private async ValueTask<IReadOnlyList<int>> RecordDoneAsync(
        IReadOnlyList<StageReport> reports, IReadOnlyList<(int Place, StageReport Report)> done, CancellationToken cancellationToken)
    {
        try
        {
            var hint = default(StoreHint);
            var recorded = await AskAsync(
                step => step.QueryAsync(
                    "record",
                    row =>
                    {
                        var place = row.GetInt32(0);
                        hint = hint.With(HintOf((TaskState)row.GetInt32(1), (TaskTraits)row.GetInt32(2)), reports[place].TaskId);
                        return place;
                    },
                    new Argument("place", ColumnType.Integer, done.Select(item => item.Place).ToArray(), true),
                    Argument.Longs("task_no", done.Select(item => item.Report.StoreKey)),
                    Argument.Uuids("claim", done.Select(item => item.Report.Claim)),
                    new Argument("stage", ColumnType.Integer, done.Select(item => item.Report.Stage).ToArray(), true),
                    Argument.Texts("result", done.Select(item => ResultOf(item.Report).GetRawText())),
                    Argument.Longs("bytes", done.Select(item => TaskRow.SizeOf(ResultOf(item.Report)))),
                    Argument.Longs("elapsed", done.Select(item => item.Report.Elapsed.Ticks))),
                e => Faults.IsRolledBack(e) || Faults.IsOfConnection(e),
                cancellationToken).ConfigureAwait(false);
            Tell(hint);
            return recorded;
        }
        catch (PostgresException e) when (Faults.IsOfData(e))
        {
            return [];
        }
    }

    /// <summary>The way that holds rows and decides. A batch that the server cannot hold is taken apart, so that each item has its own answer.</summary>
    private async ValueTask<IReadOnlyList<ReportAnswer>> RecordOthersAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        try
        {
            return await WriteAsync(step => RecordAllAsync(step, reports), true, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (Faults.IsOfData(e))
        {
            if (reports is [{ Outcome: StageOutcome.Done } report])
            {
                var error = TaskError.Create(TaskErrorKind.Result, $"The store cannot hold the result: {e.MessageText}");
                return await WriteAsync(step => RecordAllAsync(step, [report with { Outcome = StageOutcome.Failed(error) }]), true, cancellationToken).ConfigureAwait(false);
            }

            if (reports.Count == 1)
            {
                throw;
            }

            var answers = new List<ReportAnswer>();
            foreach (var each in reports)
            {
                answers.AddRange(await RecordOthersAsync([each], cancellationToken).ConfigureAwait(false));
            }

            return answers;
        }
    }

    /// <summary>What an end has to tell others; a stage in the middle tells nothing.</summary>
    private static StoreHintKinds HintOf(TaskState state, TaskTraits traits) => state != TaskState.Finished
        ? StoreHintKinds.None
        : StoreHintKinds.Ended
            | (traits.HasFlag(TaskTraits.Notifies) ? StoreHintKinds.Notified : StoreHintKinds.None)
            | (traits.HasFlag(TaskTraits.Periodic) ? StoreHintKinds.Duty : StoreHintKinds.None);

    private static JsonElement ResultOf(StageReport report) => ((StageOutcome.Done)report.Outcome).Result;
}
