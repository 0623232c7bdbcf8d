using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <content>How reports are carried out: results of many stages by one guarded statement, everything else while rows are held.</content>
internal sealed partial class PostgreSqlTaskStore
{
    /// <summary>No answer: the batch has passed over the report, since its task, or the task that it starts, is held by another transaction.</summary>
    private const ReportAnswer PassedOver = (ReportAnswer)(-1);

    public override async ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        var answers = await _reports.AddAsync(reports, cancellationToken).ConfigureAwait(false);
        return answers.Contains(PassedOver) ? await RecordHeldAsync(reports, answers, cancellationToken).ConfigureAwait(false) : answers;
    }

    /// <summary>Each report that its batch has passed over waits alone, until it is answered or its caller gives up.</summary>
    private async ValueTask<IReadOnlyList<ReportAnswer>> RecordHeldAsync(
        IReadOnlyList<StageReport> reports, IReadOnlyList<ReportAnswer> answers, CancellationToken cancellationToken) => await Task.WhenAll(
        answers.Select(async (answer, place) => answer != PassedOver
            ? answer
            : (await AloneAsync(() => RecordOthersAsync([reports[place]], isFree: false, cancellationToken), cancellationToken).ConfigureAwait(false))[0])).ConfigureAwait(false);

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

        // Failures, waits, ends that start another task, and what is recorded already, superseded or held.
        var others = Enumerable.Range(0, answers.Length).Where(place => answers[place] is null).ToList();
        if (others.Count > 0)
        {
            var decided = await RecordFreeAsync([.. others.Select(place => reports[place])], cancellationToken).ConfigureAwait(false);
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
            return await RecordDoneAsync("record", reports, done, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (Faults.IsHeld(e))
        {
            try
            {
                return await RecordDoneAsync("record_free", reports, done, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException again) when (Faults.IsHeld(again) || Faults.IsOfData(again))
            {
                return [];
            }
        }
        catch (PostgresException e) when (Faults.IsOfData(e))
        {
            return [];
        }
    }

    private async ValueTask<IReadOnlyList<int>> RecordDoneAsync(
        string statement, IReadOnlyList<StageReport> reports, IReadOnlyList<(int Place, StageReport Report)> done, CancellationToken cancellationToken)
    {
        var hint = default(StoreHint);
        var recorded = await AskAsync(
            step => step.QueryAsync(
                statement,
                row =>
                {
                    var place = row.GetInt32(0);
                    hint = hint.With(HintOf((TaskState)row.GetInt32(1), (TaskTraits)row.GetInt32(2)), null, reports[place].TaskId);
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
        PublishHints(hint);
        return recorded;
    }

    /// <summary>Decides about reports together, and passes over those that would have to wait.</summary>
    private async ValueTask<IReadOnlyList<ReportAnswer>> RecordFreeAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        foreach (var isFree in (bool[])[false, true])
        {
            try
            {
                return await RecordOthersAsync(reports, isFree, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (Faults.IsHeld(e))
            {
                // The first time it goes again without what is held. The second time it was a table.
            }
        }

        return [.. reports.Select(_ => PassedOver)];
    }

    /// <summary>The way that holds rows and decides. A batch that the server cannot hold is taken apart, so that each item has its own answer.</summary>
    private async ValueTask<IReadOnlyList<ReportAnswer>> RecordOthersAsync(IReadOnlyList<StageReport> reports, bool isFree, CancellationToken cancellationToken)
    {
        ValueTask<IReadOnlyList<ReportAnswer>> DecideAsync(IReadOnlyList<StageReport> some) => WriteAsync(
            false, step => isFree ? RecordFreeAsync(step, some) : RecordAllAsync(step, some), waits: false, cancellationToken);
        try
        {
            return await DecideAsync(reports).ConfigureAwait(false);
        }
        catch (PostgresException e) when (Faults.IsOfData(e))
        {
            if (reports is [{ Outcome: StageOutcome.Done } report])
            {
                var error = TaskError.Create(TaskErrorKind.Result, $"The store cannot hold the result: {e.MessageText}");
                return await DecideAsync([report with { Outcome = StageOutcome.Failed(error) }]).ConfigureAwait(false);
            }

            if (reports.Count == 1)
            {
                throw;
            }

            var answers = new List<ReportAnswer>();
            foreach (var each in reports)
            {
                answers.AddRange(await RecordOthersAsync([each], isFree, cancellationToken).ConfigureAwait(false));
            }

            return answers;
        }
    }

    /// <summary>Holds what is free first: what follows then waits for nothing.</summary>
    private static async ValueTask<IReadOnlyList<ReportAnswer>> RecordFreeAsync(SqlStep step, IReadOnlyList<StageReport> reports)
    {
        var free = await step.HoldFreeAsync(reports.Select(report => report.TaskId)).ConfigureAwait(false);
        var decided = (await RecordAllAsync(step, [.. reports.Where(report => free.Contains(report.TaskId))]).ConfigureAwait(false)).GetEnumerator();
        return [.. reports.Select(report => free.Contains(report.TaskId) && decided.MoveNext() ? decided.Current : PassedOver)];
    }

    /// <summary>What an end has to tell others; a stage in the middle tells nothing.</summary>
    private static StoreHintKinds HintOf(TaskState state, TaskTraits traits) => state != TaskState.Finished
        ? StoreHintKinds.None
        : StoreHintKinds.Ended
            | (traits.HasFlag(TaskTraits.Notifies) ? StoreHintKinds.Notified : StoreHintKinds.None)
            | (traits.HasFlag(TaskTraits.Periodic) ? StoreHintKinds.Duty : StoreHintKinds.None);

    private static JsonElement ResultOf(StageReport report) => ((StageOutcome.Done)report.Outcome).Result;
}
