using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Claims tasks that a queue other than the store handed out. When the answer of a try was lost, the next try finds the
/// claims of that try.
/// </summary>
internal sealed class ClaimStep(StoreParts parts, ExecutorInfo executor, IReadOnlyList<string> taskIds)
{
    /// <summary>The claims of all tries.</summary>
    private readonly HashSet<Guid> _tried = [];

    /// <summary>The methods that the executor has announced.</summary>
    private HashSet<string> _commands = [];

    /// <summary>The apps that are paused as a whole.</summary>
    private HashSet<string> _paused = [];

    public async ValueTask<IReadOnlyList<ExecutorTask>> RunAsync(SqlStep step)
    {
        // A repeated step waits for held rows: an earlier try may have claimed them.
        var ids = step is { PassesOver: true, IsRepeated: false }
            ? await step.HoldFreeAsync(taskIds).ConfigureAwait(false)
            : taskIds.Distinct();
        var rows = await step.LoadAsync(
            "load_by_ids", DefinitionNeed.All, Argument.Texts("ids", ids)).ConfigureAwait(false);
        step.Unreadable.ForEach(fault => parts.Aside.Leave(RowsAside.Claiming, fault));
        var claimed = new List<ExecutorTask>();
        var announced = await step.QueryAsync(
            "commands_of",
            row => row.GetString(0),
            Argument.Text("executor", executor.Id)).ConfigureAwait(false);
        _commands = announced.ToHashSet(StringComparer.Ordinal);
        _paused = await FindPausedAsync(step).ConfigureAwait(false);
        foreach (var row in rows.Where(IsReadable))
        {
            if (await IsClaimedAsync(step, row).ConfigureAwait(false))
            {
                _tried.Add(row.State.Claim!.Value);
                var results = row.Results == 0
                    ? []
                    : await ClaimRows.ResultsAsync(
                        step, row.TaskNo, row.ResultRunNo, row.State.ResultPass).ConfigureAwait(false);
                var now = await step.NowAsync().ConfigureAwait(false);
                claimed.Add(ExecutorTask.Of(row.Definition, row.State, results, now, row.TaskNo));
            }
        }

        if (claimed.Count > 0)
        {
            await ClaimRows.KnowAsync(step, executor).ConfigureAwait(false);
        }

        return claimed;
    }

    private static async ValueTask<HashSet<string>> FindPausedAsync(SqlStep step)
    {
        var now = await step.NowAsync().ConfigureAwait(false);
        return (await RoutingRows.ListPausesAsync(step).ConfigureAwait(false))
            .Where(pause => pause.Method is null && pause.IsInForce(now))
            .Select(pause => pause.AppName!)
            .ToHashSet(StringComparer.Ordinal);
    }

    private async ValueTask<bool> IsClaimedAsync(SqlStep step, TaskRow row) =>
        (row.State.Claim is { } held && _tried.Contains(held))
        || (!_paused.Contains(row.Head.AppName!) && await step.ApplyEventAsync(
            row, new TaskEvent.Claimed(executor.Id, parts.Ids.NewId(), _commands)).ConfigureAwait(false));

    /// <summary>
    /// True if the task's definition can be read. Otherwise the task is set aside and its row does not change. See
    /// docs/decisions/0010.
    /// </summary>
    private bool IsReadable(TaskRow row)
    {
        try
        {
            return row.Definition is not null;
        }
        catch (JsonException e)
        {
            parts.Aside.Leave(RowsAside.Claiming, new RowFault(row.TaskNo, row.Id, e));
            return false;
        }
    }
}
