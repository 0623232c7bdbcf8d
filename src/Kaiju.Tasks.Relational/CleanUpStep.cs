using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Deletes tasks that ended for good long ago.</summary>
internal sealed class CleanUpStep(TaskState state, TimeSpan age, int limit)
{
    /// <summary>The tasks that the last try deleted.</summary>
    private List<(long TaskNo, string Id)> _tried = [];

    public async ValueTask<IReadOnlyList<string>> RunAsync(SqlStep step)
    {
        if (step.IsRepeated && _tried.Count > 0 && !await AreThereAsync(step).ConfigureAwait(false))
        {
            return _tried.ConvertAll(task => task.Id);
        }

        var before = Ticks.Of(await step.NowAsync().ConfigureAwait(false) - age);
        _tried = await step.QueryAsync(
            "ended",
            row => (TaskNo: row.GetInt64(0), Id: row.GetString(1)),
            Argument.Integer("state", (int)state),
            Argument.Long("before", before),
            Argument.Integer("most", limit)).ConfigureAwait(false);
        await step.DeleteAsync(_tried.ConvertAll(task => task.TaskNo)).ConfigureAwait(false);
        foreach (var (_, id) in _tried)
        {
            step.Hint(StoreHintKinds.Ended, null, id);
        }

        return _tried.ConvertAll(task => task.Id);
    }

    /// <summary>True if any of the tasks of the last try still exists.</summary>
    private async ValueTask<bool> AreThereAsync(SqlStep step) => (await step.QueryAsync(
        "find_tasks",
        row => row.GetInt64(0),
        Argument.Longs("tasks", _tried.Select(task => task.TaskNo))).ConfigureAwait(false)).Count > 0;
}
