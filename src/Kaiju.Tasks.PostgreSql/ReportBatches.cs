using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Records reports: results of many stages with one guarded statement, everything else while the rows are held. See
/// docs/decisions/0005 and 0008.
/// </summary>
internal sealed class ReportBatches : ReportRecording, IAsyncDisposable
{
    private static readonly string[] _statements = ["record", "record_free"];

    // Nearly every call has one report.
    private static readonly ReportAnswer[] _recorded = [ReportAnswer.Recorded];
    private static readonly ReportAnswer[] _superseded = [ReportAnswer.Superseded];

    private readonly PostgreSqlSession _session;
    private readonly PostgreSqlRetries _retries;
    private readonly ReportDecisions _decisions;
    private readonly Batches<StageReport, ReportAnswer?> _batches;

    public ReportBatches(PostgreSqlSession session, PostgreSqlRetries retries)
    {
        (_session, _retries, _decisions) = (session, retries, new ReportDecisions(session));
        _batches = new Batches<StageReport, ReportAnswer?>(RecordBatchAsync, SizeOf);
    }

    public override async ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        var answers = await _batches.AddAsync(reports, cancellationToken).ConfigureAwait(false);
        if (answers is [{ } only])
        {
            return only == ReportAnswer.Recorded ? _recorded : _superseded;
        }

        var complete = new ReportAnswer[answers.Count];
        List<int>? held = null;
        for (var place = 0; place < complete.Length; place++)
        {
            if (answers[place] is { } answer)
            {
                complete[place] = answer;
            }
            else
            {
                (held ??= []).Add(place);
            }
        }

        if (held is not null)
        {
            await Task.WhenAll(
                held.Select(place => RecordHeldAsync(reports[place], complete, place, cancellationToken)))
                .ConfigureAwait(false);
        }

        return complete;
    }

    /// <summary>Completes when every report that was added before is answered.</summary>
    public ValueTask DisposeAsync() => _batches.DisposeAsync();

    /// <summary>
    /// Records a report that its batch skipped; it waits alone until it is answered or its caller cancels.
    /// </summary>
    private async Task RecordHeldAsync(
        StageReport report, ReportAnswer[] answers, int place, CancellationToken cancellationToken)
    {
        var answer = await _retries.WaitAloneAsync(
            () => _decisions.DecideAsync([report], HeldRows.Wait, cancellationToken),
            cancellationToken).ConfigureAwait(false);
        answers[place] = answer[0]!.Value;
    }

    /// <summary>
    /// Records a batch. A report gets no answer if another transaction holds its task or the task that it starts.
    /// </summary>
    private async ValueTask<IReadOnlyList<ReportAnswer?>> RecordBatchAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        var answers = new ReportAnswer?[reports.Count];
        var done = FindDoneAlone(reports);
        if (done.Count > 0)
        {
            await RecordDoneAsync(reports, done, answers, cancellationToken).ConfigureAwait(false);
        }

        // Failures, waits, ends that start another task, and reports that are recorded already, superseded or held.
        var others = Enumerable.Range(0, answers.Length).Where(place => answers[place] is null).ToList();
        if (others.Count > 0)
        {
            var decided = await _decisions.DecideAsync(
                [.. others.Select(place => reports[place])],
                HeldRows.PassOver,
                cancellationToken).ConfigureAwait(false);
            foreach (var (place, answer) in others.Zip(decided))
            {
                answers[place] = answer;
            }
        }

        return answers;
    }

    /// <summary>
    /// Answers the results that the statement recorded. The others are decided while their rows are held.
    /// </summary>
    private async ValueTask RecordDoneAsync(
        IReadOnlyList<StageReport> reports,
        List<int> done,
        ReportAnswer?[] answers,
        CancellationToken cancellationToken)
    {
        // A batch that met a held row is repeated with the statement that skips held rows.
        foreach (var statement in _statements)
        {
            try
            {
                await RecordDoneAsync(statement, reports, done, answers, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (PostgresException e) when (Faults.IsHeld(e))
            {
            }
            catch (PostgresException e) when (Faults.IsOfData(e))
            {
                return;
            }
        }
    }

    private async ValueTask RecordDoneAsync(
        string statement,
        IReadOnlyList<StageReport> reports,
        List<int> done,
        ReportAnswer?[] answers,
        CancellationToken cancellationToken)
    {
        var recorded = await _session.AskAsync(
            step => step.QueryAsync(
                statement,
                static row =>
                    (Place: row.GetInt32(0), State: (TaskState)row.GetInt32(1), Traits: (TaskTraits)row.GetInt32(2)),
                Argument.Integers("place", done),
                Argument.Longs("task_no", done.Select(place => reports[place].StoreKey)),
                Argument.Uuids("claim", done.Select(place => reports[place].Claim)),
                Argument.Integers("stage", done.Select(place => reports[place].Stage)),
                Argument.Texts("result", done.Select(place => ResultOf(reports[place]).GetRawText())),
                Argument.Longs("bytes", done.Select(place => TaskRow.SizeOf(ResultOf(reports[place])))),
                Argument.Longs("elapsed", done.Select(place => reports[place].Elapsed.Ticks))),
            Faults.IsRolledBackOrLost,
            cancellationToken).ConfigureAwait(false);
        var hint = default(StoreHint);
        foreach (var (place, state, traits) in recorded)
        {
            answers[place] = ReportAnswer.Recorded;
            hint = hint.With(HintsOf(state, traits), null, reports[place].TaskId);
        }

        _session.PublishHints(hint);
    }

    /// <summary>The hints to publish for the end of a run; a stage in the middle has none.</summary>
    private static StoreHintKinds HintsOf(TaskState state, TaskTraits traits) => state != TaskState.Finished
        ? StoreHintKinds.None
        : StoreHintKinds.Ended
            | (traits.HasFlag(TaskTraits.Notifies) ? StoreHintKinds.Notified : StoreHintKinds.None)
            | (traits.HasFlag(TaskTraits.Periodic) ? StoreHintKinds.Duty : StoreHintKinds.None);

    private static JsonElement ResultOf(StageReport report) => ((StageOutcome.Done)report.Outcome).Result;
}
