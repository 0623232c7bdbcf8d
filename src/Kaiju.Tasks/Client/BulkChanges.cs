using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Client;

/// <summary>Changes many tasks, in steps that each change a bounded number of them.</summary>
internal sealed class BulkChanges(ClientCalls calls)
{
    /// <summary>The most tasks that one step changes.</summary>
    public const int StepSize = 200;

    /// <summary>Visits each task that the query selects once.</summary>
    /// <exception cref="ArgumentException">The query is invalid, or it selects all tasks.</exception>
    public async Task<BulkResult> ApplyAsync(
        string member, BulkVerb verb, TaskQuery query, bool dryRun, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Checked().SelectsAll)
        {
            throw new ArgumentException("The query selects all tasks; set one of its members.", nameof(query));
        }

        var call = dryRun ? ClientCall.Read(member) : ClientCall.Write(member);
        var (matched, done) = (0, 0);
        TaskCursor? after = null;
        DateTimeOffset? started = null;
        do
        {
            var request = new BulkRequest
            {
                Verb = verb,
                Query = query,
                After = after,
                Started = started,
                Limit = StepSize,
                DryRun = dryRun,
            };
            var answer = await calls.AskAsync(
                call,
                request,
                static (store, asked, token) => store.ChangeManyAsync(asked, CallContext.Empty, token),
                cancellationToken).ConfigureAwait(false);
            (matched, done) = (matched + answer.Matched, done + answer.Done);
            (after, started) = (answer.Next, answer.Started);
        }
        while (after is not null);
        return new BulkResult
        {
            Matched = matched,
            Done = done,
            Refused = dryRun ? 0 : matched - done,
        };
    }
}
