using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// One step of a bulk operation. It finds a page of tasks, holds them, and changes those that the query still selects.
/// </summary>
internal sealed class BulkStep(BulkRequest request, CallContext context)
{
    /// <summary>The last try: its answer, and the rows that it changed with their states before.</summary>
    private (BulkAnswer Answer, List<(TaskRow Row, ManagedState Before)> Changed)? _tried;

    private List<(TaskRow Row, ManagedState Before)> _changed = [];

    /// <summary>Counts the tasks of the step, and changes none.</summary>
    public async ValueTask<BulkAnswer> CountAsync(SqlStep step)
    {
        var page = await FindAsync(step).ConfigureAwait(false);
        return page.AnswerOf(page.Ids.Count, 0);
    }

    /// <summary>Changes the tasks of the step.</summary>
    public async ValueTask<BulkAnswer> RunAsync(SqlStep step)
    {
        if (step.IsRepeated && _tried is { Changed.Count: > 0 } tried
            && await WasCommittedAsync(step, tried.Changed).ConfigureAwait(false))
        {
            return tried.Answer;
        }

        var page = await FindAsync(step).ConfigureAwait(false);
        var rows = page.Ids.Count == 0
            ? []
            : await step.LoadAsync(
                "load_by_ids", NeedOf(request), Argument.Texts("ids", page.Ids)).ConfigureAwait(false);

        // A task that this version cannot read is not changed.
        var matched = step.Unreadable.Count;
        _changed = [];
        foreach (var row in rows.Where(row => row.State.StatusChange < page.Started && row.IsIn(context.Scope)))
        {
            var before = row.State;
            try
            {
                if (!request.Query.Selects(DefinitionOf(row), row.State, row.Created))
                {
                    continue;
                }

                matched++;
                if (await IsChangedAsync(step, row).ConfigureAwait(false))
                {
                    _changed.Add((row, before));
                }
            }
            catch (JsonException)
            {
                // Decided from a definition that this version cannot read, before anything was changed.
                matched += request.Query.Method is null ? 0 : 1;
            }
        }

        if (request.Verb == BulkVerb.Delete)
        {
            await step.DeleteAsync(_changed.ConvertAll(task => task.Row.TaskNo)).ConfigureAwait(false);
        }

        var answer = page.AnswerOf(matched, _changed.Count);
        _tried = (answer, _changed);
        return answer;
    }

    /// <summary>The definitions that the step reads.</summary>
    private static DefinitionNeed NeedOf(BulkRequest request) => request switch
    {
        { Query.Method: not null } or { Verb: BulkVerb.Retry } => DefinitionNeed.All,
        { Verb: BulkVerb.Cancel } => DefinitionNeed.Of(new TaskEvent.Cancelled()),
        _ => DefinitionNeed.None,
    };

    private TaskDefinition DefinitionOf(TaskRow row) => request.Query.Method is null ? row.Head : row.Definition;

    private async ValueTask<bool> IsChangedAsync(SqlStep step, TaskRow row)
    {
        switch (request.Verb)
        {
            case BulkVerb.Retry:
                return await RetryStep.ApplyAsync(step, row, change: null).ConfigureAwait(false) == RetryResult.Retried;
            case BulkVerb.Cancel:
                return await step.ApplyEventAsync(row, new TaskEvent.Cancelled()).ConfigureAwait(false);
            case BulkVerb.Delete:
                var lost = row.State.Claim is null ? StoreHintKinds.None : StoreHintKinds.ClaimLost;
                step.Hint(StoreHintKinds.Ended | lost, row);
                return true;
            default:
                throw new ArgumentOutOfRangeException(nameof(row), request.Verb, "The verb is unknown.");
        }
    }

    /// <summary>Finds the tasks of the step that are in the scope and have not changed since the start.</summary>
    private async ValueTask<Page> FindAsync(SqlStep step)
    {
        var started = request.Started ?? await step.NowAsync().ConfigureAwait(false);
        var list = ListStatement.Of(request.Query, request.After, step.Sql);
        var found = await step.QueryAsync(
            list.Keys,
            row => new Key(
                new TaskCursor(row.Time(0), row.GetString(1)),
                row.Time(2) < started
                    && context.Scope?.Includes(row.GetString(3), row.TextOrNull(4), row.TextOrNull(5)) != false,
                row.GetInt64(6)),
            [
                .. list.Arguments,
                Argument.Integer("most", request.Limit),
                Argument.Integer("scanned", TaskReading.MostScanned),
            ]).ConfigureAwait(false);
        var bytes = 0L;
        var taken = found.TakeWhile((key, place) => (bytes += key.Bytes) <= Pieces.MostBytes || place == 0).ToList();
        var next = taken.Count == request.Limit || taken.Count < found.Count
            ? taken[^1].Place
            : await TaskReading.FindLastScannedAsync(step, list).ConfigureAwait(false);
        return new Page(started, [.. taken.Where(key => key.IsVisited).Select(key => key.Place.Id)], next);
    }

    /// <summary>
    /// True if the last try was committed. All of its changes were committed together, so one row that shows it is
    /// enough.
    /// </summary>
    private async ValueTask<bool> WasCommittedAsync(SqlStep step, List<(TaskRow Row, ManagedState Before)> changed)
    {
        var rows = (await step.LoadAsync(
            "load_by_ids",
            NeedOf(request),
            Argument.Texts("ids", changed.Select(task => task.Row.Id))).ConfigureAwait(false))
            .ToDictionary(row => row.Id, StringComparer.Ordinal);
        if (request.Verb == BulkVerb.Delete)
        {
            return !changed.Exists(task => rows.GetValueOrDefault(task.Row.Id)?.TaskNo == task.Row.TaskNo);
        }

        foreach (var (tried, before) in changed)
        {
            var row = rows.GetValueOrDefault(tried.Id);
            var isShown = request.Verb == BulkVerb.Retry
                ? await LostAnswer.IsRetriedAsync(step, row, tried, before).ConfigureAwait(false)
                : await LostAnswer.IsCancelledAsync(step, row, tried, before).ConfigureAwait(false);
            if (isShown is { } wasCommitted)
            {
                return wasCommitted;
            }
        }

        throw EventStep.Unknown(changed[0].Row, "and all others of the step changed in the meantime");
    }

    private readonly record struct Key(TaskCursor Place, bool IsVisited, long Bytes);

    private sealed record Page(DateTimeOffset Started, IReadOnlyList<string> Ids, TaskCursor? Next)
    {
        public BulkAnswer AnswerOf(int matched, int done) => new()
        {
            Started = Started,
            Matched = matched,
            Done = done,
            Next = Next,
        };
    }
}
