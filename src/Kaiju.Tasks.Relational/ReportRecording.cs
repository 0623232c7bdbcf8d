using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Records reports: a single statement where that is enough, otherwise the lifecycle decides while the rows are held.
/// See docs/decisions/0005.
/// </summary>
internal abstract class ReportRecording
{
    /// <summary>Records reports; see <see cref="IExecutorPort.RecordAsync"/>.</summary>
    public abstract ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken);

    /// <summary>Lets the lifecycle decide about reports while their rows are held.</summary>
    public static async ValueTask<IReadOnlyList<ReportAnswer>> DecideAsync(
        SqlStep step, IReadOnlyList<StageReport> reports)
    {
        var need = reports.Aggregate(
            DefinitionNeed.None, (need, report) => need.With(DefinitionNeed.Of(new TaskEvent.Reported(report))));
        var ids = Argument.Texts("ids", reports.Select(report => report.TaskId).Distinct());
        var rows = (await step.LoadAsync("load_by_ids", need, ids).ConfigureAwait(false))
            .ToDictionary(row => row.Id, StringComparer.Ordinal);
        var answers = new ReportAnswer[reports.Count];
        foreach (var (place, report) in reports.Index())
        {
            var isRecorded = rows.GetValueOrDefault(report.TaskId) is { } row
                && await RecordAsync(step, row, new TaskEvent.Reported(report)).ConfigureAwait(false);
            answers[place] = isRecorded ? ReportAnswer.Recorded : ReportAnswer.Superseded;
        }

        return answers;
    }

    /// <summary>The approximate size of a report in bytes.</summary>
    public static long SizeOf(StageReport report) =>
        report.Outcome is StageOutcome.Done { Result: var result } ? TaskRow.SizeOf(result) : 0;

    /// <summary>
    /// The places of reports that a statement may record by itself: of a stage that is done, each the only report about
    /// its task. Several reports about one task are decided one after the other, in their order.
    /// </summary>
    public static List<int> FindDoneAlone(IReadOnlyList<StageReport> reports)
    {
        var seen = new HashSet<string>(reports.Count, StringComparer.Ordinal);
        var twice = new HashSet<string>(StringComparer.Ordinal);
        foreach (var report in reports)
        {
            if (!seen.Add(report.TaskId))
            {
                twice.Add(report.TaskId);
            }
        }

        var places = new List<int>(reports.Count);
        for (var place = 0; place < reports.Count; place++)
        {
            if (reports[place] is { Outcome: StageOutcome.Done, StoreKey: not 0 } report
                && !twice.Contains(report.TaskId))
            {
                places.Add(place);
            }
        }

        return places;
    }

    private static async ValueTask<bool> RecordAsync(SqlStep step, TaskRow row, TaskEvent.Reported happened) =>
        await step.ApplyEventAsync(row, happened).ConfigureAwait(false)
        || await IsRecordedAsync(step, row, happened).ConfigureAwait(false);

    private static async ValueTask<bool> IsRecordedAsync(SqlStep step, TaskRow row, TaskEvent.Reported happened)
    {
        var report = happened.Report.Id;
        if (TaskLifecycle.IsRecorded(row.State, null, report))
        {
            // Published again: the first hint may have been lost with the answer.
            var isTold = row.State.State == TaskState.Executing;
            step.Hint(isTold ? StoreHintKinds.None : StoreHint.KindsOf(row.Head, row.State, row.State, happened), row);
            step.Hint(row.Head.Notify && !isTold ? StoreHintKinds.Notified : StoreHintKinds.None, row);
            return true;
        }

        var found = report.Kind == ReportKind.Completed
            ? await step.QueryAsync(
                "find_result",
                reader => reader.GetInt32(0),
                Argument.Long("task_no", row.TaskNo),
                Argument.Integer("run_no", row.ResultRunNo),
                Argument.Integer("stage", report.Stage),
                Argument.Uuid("claim", report.Claim)).ConfigureAwait(false)
            : [];
        return found.Count > 0;
    }
}
