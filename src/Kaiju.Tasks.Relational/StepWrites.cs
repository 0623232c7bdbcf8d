using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Relational;

/// <summary>Collects the changes of a step, to write them together at its end.</summary>
/// <param name="keptRuns">The number of earlier runs that are kept for each task.</param>
internal sealed class StepWrites(int keptRuns)
{
    private readonly HashSet<TaskRow> _changed = [];
    private readonly HashSet<TaskRow> _defined = [];
    private readonly List<EntryRow> _results = [];
    private readonly List<EntryRow> _failures = [];
    private readonly List<RunRow> _runs = [];
    private readonly List<RestoredRow> _restored = [];
    private readonly List<MovedRow> _moved = [];
    private readonly List<SweepRow> _sweeps = [];
    private readonly List<NotificationRow> _notifications = [];

    /// <summary>The rows whose state is to be written.</summary>
    public IReadOnlyCollection<TaskRow> Changed => _changed;

    public void MarkChanged(TaskRow row) => _changed.Add(row);

    /// <summary>Notes a row whose definition and state are to be written.</summary>
    public void MarkDefined(TaskRow row)
    {
        _defined.Add(row);
        _changed.Add(row);
    }

    public void Notify(NotificationRow notification) => _notifications.Add(notification);

    public void AddResults(IEnumerable<EntryRow> results) => _results.AddRange(results);

    /// <summary>Applies a transition of the lifecycle to a row.</summary>
    public void Apply(TaskRow row, Transition transition)
    {
        var (before, after) = (row.State, transition.After);
        if (transition.ArchivesRun)
        {
            _runs.Add(new RunRow(row.TaskNo, row.ResultRunNo, before.ResultPass, before));
        }

        if (transition.Entry is { } entry)
        {
            Add(row, entry);
        }

        if (transition.RestoresRun)
        {
            row.RunNo = row.ResultRunNo;
            _restored.Add(new RestoredRow(row.TaskNo, row.RunNo));
        }
        else if (after.JobId != before.JobId)
        {
            row.RunNo++;
        }

        var shown = after.ResultRun == before.ResultRun ? row.ResultRunNo : row.RunNo;
        if (transition.MovedResults > 0)
        {
            // The bytes of all results stay counted: a claim counts them approximately.
            row.Results = transition.MovedResults;
            _moved.Add(new MovedRow(row.TaskNo, shown, before.ResultPass, after.ResultPass, row.Results));
        }
        else if (shown != row.ResultRunNo || after.ResultPass != before.ResultPass)
        {
            (row.Results, row.ResultBytes) = (0, 0);
        }

        if (shown != row.ResultRunNo || transition.ArchivesRun)
        {
            _sweeps.RemoveAll(sweep => sweep.TaskNo == row.TaskNo);
            _sweeps.Add(new SweepRow(row.TaskNo, shown, keptRuns));
        }

        row.ResultRunNo = shown;
        row.State = after;
        if (transition.TakesWaiting && row.HasWaiting)
        {
            row.TakeWaiting();
            _defined.Add(row);
        }

        _changed.Add(row);
    }

    /// <summary>Writes all collected changes and clears them.</summary>
    public async ValueTask WriteAsync(SqlStep step)
    {
        await WriteAsync(step, "insert_results", _results, EntryRow.ResultColumns).ConfigureAwait(false);
        await WriteAsync(step, "insert_failures", _failures, EntryRow.FailureColumns).ConfigureAwait(false);
        await WriteAsync(step, "insert_notifications", _notifications, NotificationRow.Columns).ConfigureAwait(false);
        var defined = _defined.OrderBy(row => row.TaskNo).ToList();
        await WriteAsync(step, "update_definitions", defined, TaskRowColumns.Definition).ConfigureAwait(false);
        var changed = _changed.OrderBy(row => row.TaskNo).ToList();
        await WriteAsync(step, "update_states", changed, TaskRowColumns.State).ConfigureAwait(false);
        await WriteAsync(step, "move_results", _moved, MovedRow.Columns).ConfigureAwait(false);
        await WriteAsync(step, "delete_run", _restored, RestoredRow.Columns).ConfigureAwait(false);
        await WriteAsync(step, "insert_runs", _runs, RunRow.Columns).ConfigureAwait(false);
        foreach (var statement in _sweeps.Count == 0 ? [] : (string[])["trim_runs", "sweep_results", "sweep_failures"])
        {
            await step.ExecuteEachAsync(statement, _sweeps, SweepRow.Columns).ConfigureAwait(false);
        }

        Clear();
    }

    private void Add(TaskRow row, StageEntry entry)
    {
        // Rows are recorded under the run that is shown: while stages run, the last queued run is the current one.
        if (entry.Error is not null)
        {
            _failures.Add(new EntryRow(row.TaskNo, row.ResultRunNo, entry));
            return;
        }

        _results.Add(new EntryRow(row.TaskNo, row.ResultRunNo, entry));
        row.Results++;
        row.ResultBytes += TaskRow.SizeOf(entry.Result);
    }

    private void Clear()
    {
        _changed.Clear();
        _defined.Clear();
        _results.Clear();
        _failures.Clear();
        _notifications.Clear();
        _runs.Clear();
        _restored.Clear();
        _moved.Clear();
        _sweeps.Clear();
    }

    private static ValueTask WriteAsync<T>(
        SqlStep step, string statement, IReadOnlyList<T> rows, IReadOnlyList<Column<T>> columns) =>
        rows.Count == 0 ? default : step.ExecuteEachAsync(statement, rows, columns);
}
