using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Creates the tasks of one call, or of one piece of it. Each creation stores its own mark with its tasks. So a retry
/// after a lost answer can tell its own tasks from those that existed before.
/// </summary>
/// <param name="parts">The store's parts.</param>
/// <param name="tasks">The definitions.</param>
/// <param name="rule">The action for an id that is already known, and the version.</param>
/// <param name="context">The caller.</param>
/// <param name="mark">The mark, one for the whole call.</param>
internal sealed class CreationStep(
    StoreParts parts, IReadOnlyList<TaskDefinition> tasks, ConflictRule rule, CallContext context, Guid mark)
{
    /// <summary>The answers of the last try; null in the first one.</summary>
    private CreateAnswer[]? _tried;

    public async ValueTask<IReadOnlyList<CreateAnswer>> RunAsync(SqlStep step)
    {
        var now = await step.NowAsync().ConfigureAwait(false);
        var answers = new CreateAnswer[tasks.Count];
        foreach (var (wave, places) in CreationRules.Waves(tasks).Index())
        {
            if (wave > 0 && rule.OnConflict == OnConflict.Update)
            {
                // An id that occurs again is compared with what the wave before has changed.
                await step.FlushAsync().ConfigureAwait(false);
            }

            var rows = places.ToDictionary(place => TaskRow.New(tasks[place], parts, mark, now, rule.Version));
            await InsertAsync(step, rows, [], answers).ConfigureAwait(false);
            while (rows.Count > 0)
            {
                var known = await FindKnownAsync(step, rows.Keys).ConfigureAwait(false);

                // A mark found in the first wave was left by an earlier try; in later waves this try may have left it.
                var marked = wave == 0 ? await step.FindMarkedAsync(known.Values, mark).ConfigureAwait(false) : [];
                var replaced = await ResolveConflictsAsync(step, rows, known, marked, answers).ConfigureAwait(false);
                await InsertAsync(step, rows, replaced, answers).ConfigureAwait(false);
            }
        }

        _tried = answers;
        return answers;
    }

    private static CreateAnswer Answer(TaskRow stored, CreateResult result) =>
        CreateAnswer.Of(stored.Id, stored.State, result);

    /// <summary>Stores rows whose ids are unknown, and removes them from the rows that remain.</summary>
    private static async ValueTask InsertAsync(
        SqlStep step, Dictionary<TaskRow, int> rows, HashSet<string> replaced, CreateAnswer[] answers)
    {
        foreach (var row in await step.InsertAsync([.. rows.Keys]).ConfigureAwait(false))
        {
            var result = replaced.Contains(row.Id) ? CreateResult.Replaced : CreateResult.Created;
            answers[rows[row]] = Answer(row, result);
            step.Hint(row.HintsOfNew, row);
            step.Hint(result == CreateResult.Replaced ? StoreHintKinds.Ended : StoreHintKinds.None, row);
            rows.Remove(row);
        }
    }

    /// <summary>
    /// Finds the stored tasks with the ids of these rows. They are held only if they may be replaced or updated, so
    /// that a creation that changes nothing blocks no other step.
    /// </summary>
    private async ValueTask<Dictionary<string, TaskRow>> FindKnownAsync(SqlStep step, IReadOnlyCollection<TaskRow> rows)
    {
        var need = rule.OnConflict == OnConflict.Update ? DefinitionNeed.All : DefinitionNeed.None;
        var ids = Argument.Texts("ids", rows.Select(row => row.Id));
        var known = (await step.LoadAsync("find_by_ids", need, ids).ConfigureAwait(false))
            .ToDictionary(row => row.Id, StringComparer.Ordinal);
        var now = await step.NowAsync().ConfigureAwait(false);

        // Read again after they are held: they may have changed in between.
        var changed = rows.Where(row => known.TryGetValue(row.Id, out var other) && MayChange(other, row, now))
            .Select(row => row.Id).ToList();
        changed.ForEach(id => known.Remove(id));
        if (changed.Count > 0)
        {
            var held = Argument.Texts("ids", changed);
            foreach (var row in await step.LoadAsync("load_by_ids", need, held).ConfigureAwait(false))
            {
                known.Add(row.Id, row);
            }
        }

        return known;
    }

    /// <summary>True if the creation changes a stored task, as far as it was read without being held.</summary>
    private bool MayChange(TaskRow known, TaskRow asked, DateTimeOffset now) => rule.OnConflict switch
    {
        OnConflict.Replace => TaskLifecycle.IsAtRest(known.State),
        OnConflict.Update => Decide(known, asked, now).Result == CreateResult.Updated,
        _ => false,
    };

    private TaskDeployment Decide(TaskRow known, TaskRow asked, DateTimeOffset now) =>
        TaskDeployment.Decide(known.Snapshot([]), asked.Definition, rule.Version, now);

    /// <summary>Updates a stored task; a try that was repeated answers like the first one.</summary>
    private async ValueTask<CreateResult> DeployAsync(SqlStep step, TaskRow known, TaskRow asked, int place)
    {
        var deployment = Decide(known, asked, await step.NowAsync().ConfigureAwait(false));
        if (deployment.Result == CreateResult.Updated)
        {
            // The claim and the last report are not part of a snapshot.
            var (claim, report) = (known.State.Claim, known.State.LastReport);
            known.State = deployment.State with { Claim = claim, LastReport = report };
            known.Replace(deployment.Definition, deployment.Waiting);
            known.Version = deployment.Version;
            step.MarkDefined(known);
        }

        return deployment.Result == CreateResult.Unchanged
            && step.IsRepeated && _tried?[place].Result == CreateResult.Updated
            ? CreateResult.Updated
            : deployment.Result;
    }

    /// <summary>Answers for the rows whose ids are known, and deletes the tasks that they replace.</summary>
    /// <returns>The ids of the replaced tasks, whose rows are still to be stored.</returns>
    private async ValueTask<HashSet<string>> ResolveConflictsAsync(
        SqlStep step,
        Dictionary<TaskRow, int> rows,
        Dictionary<string, TaskRow> known,
        HashSet<long> marked,
        CreateAnswer[] answers)
    {
        var replaced = new List<TaskRow>();
        foreach (var (row, place) in rows.Where(item => known.ContainsKey(item.Key.Id)).ToList())
        {
            var other = known[row.Id];
            if (marked.Contains(other.TaskNo))
            {
                // Published again: the hint of the task's creation may have been lost with the answer.
                answers[place] = Answer(other, _tried?[place].Result ?? CreateResult.Created);
                step.Hint(other.HintsOfNew, other);
                rows.Remove(row);
                continue;
            }

            var result = CreationRules.Decide(rule.OnConflict, other.State, other.IsIn(context.Scope));
            if (result == CreateResult.Replaced)
            {
                replaced.Add(other);
                continue;
            }

            if (result == CreateResult.Updated)
            {
                result = await DeployAsync(step, other, row, place).ConfigureAwait(false);
            }

            answers[place] = Answer(other, result);
            rows.Remove(row);
        }

        await step.DeleteAsync(replaced.ConvertAll(row => row.TaskNo)).ConfigureAwait(false);
        return replaced.Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
    }
}
