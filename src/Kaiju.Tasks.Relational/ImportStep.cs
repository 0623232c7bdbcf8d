using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Stores exported tasks with their state unchanged. A known id is refused.</summary>
internal sealed class ImportStep(
    StoreParts parts, IReadOnlyList<TaskRecord> tasks, IReadOnlyList<ExecutorPing> executors)
{
    private readonly Guid _mark = parts.Ids.NewId();

    // One claim for all tries, so that a retry after a lost answer finds the tasks of the earlier try.
    private readonly List<Guid> _claims = [.. tasks.Select(_ => parts.Ids.NewId())];

    public async ValueTask<IReadOnlyList<ImportAnswer>> RunAsync(SqlStep step)
    {
        var now = await step.NowAsync().ConfigureAwait(false);
        foreach (var executor in executors)
        {
            var ping = Ticks.Of(TaskImport.Ping(executor.LastPing, now));
            await step.ExecuteAsync(
                "set_ping",
                Argument.Text("executor", executor.ExecutorId),
                Argument.Long("ping", ping)).ConfigureAwait(false);
        }

        // An id that occurs again in the same call is a known id by then.
        var rows = tasks.Select((task, place) => NewRow(task, _claims[place], now)).ToList();
        var inserted = (await step.InsertAsync([.. rows.DistinctBy(row => row.Id)]).ConfigureAwait(false)).ToHashSet();
        var known = rows.Select(row => row.Id).Except(inserted.Select(row => row.Id)).ToList();
        var marked = await FindMarkedAsync(step, known).ConfigureAwait(false);
        var answers = new ImportAnswer[tasks.Count];
        foreach (var (place, row) in rows.Index())
        {
            var isInserted = inserted.Contains(row);
            if (!isInserted && !marked.Remove(row.Id))
            {
                answers[place] = new ImportAnswer { TaskId = row.Id, Result = CreateResult.Refused, Claim = null };
                continue;
            }

            if (isInserted)
            {
                step.AddResults(row, TaskImport.Entries(tasks[place]));
            }

            step.Hint(StoreHintKinds.Duty | StoreHintKinds.Queued, row);
            answers[place] = new ImportAnswer
            {
                TaskId = row.Id,
                Result = CreateResult.Created,
                Claim = row.State.Claim,
            };
        }

        return answers;
    }

    /// <summary>The ids of tasks that an earlier try of this import stored before its answer was lost.</summary>
    private async ValueTask<HashSet<string>> FindMarkedAsync(SqlStep step, List<string> ids)
    {
        if (!step.IsRepeated || ids.Count == 0)
        {
            return [];
        }

        var known = await step.LoadAsync(
            "load_by_ids", DefinitionNeed.None, Argument.Texts("ids", ids)).ConfigureAwait(false);
        var marked = await step.FindMarkedAsync(known, _mark).ConfigureAwait(false);
        return known.Where(row => marked.Contains(row.TaskNo)).Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
    }

    private TaskRow NewRow(TaskRecord task, Guid claim, DateTimeOffset now)
    {
        var state = TaskImport.State(task, claim, now, parts.Rules);
        return new TaskRow
        {
            Rules = parts.Rules,
            Creation = _mark,
            Definition = task.Definition,
            Waiting = task.Waiting,
            Version = task.Version,
            Created = task.Created,
            State = state,
            RunNo = state.ResultRun == state.JobId ? 1 : 2,
            Results = task.Result.Count,
            ResultBytes = task.Result.Sum(TaskRow.SizeOf),
        };
    }
}
