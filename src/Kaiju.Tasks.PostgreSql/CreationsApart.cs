using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Completes the creations that batches leave open: tasks to be replaced, repeated ids, ids that another transaction is
/// creating, and refused values. Each call creates its own tasks while their rows are held.
/// </summary>
internal sealed class CreationsApart(PostgreSqlSession session, StoreParts parts, PostgreSqlRetries retries)
{
    private readonly PostgreSqlSession _session = session;
    private readonly StoreParts _parts = parts;
    private readonly PostgreSqlRetries _retries = retries;
    private readonly HeldIds _held = new();

    /// <summary>
    /// True if creations of this id wait for another transaction: a further one would only delay a batch.
    /// </summary>
    public bool IsHeld(string id) => _held.Contains(id);

    /// <summary>Answers a call: with the answers of its batch, and with those of the creations left open.</summary>
    public async ValueTask<IReadOnlyList<CreateAnswer>> CompleteAsync(
        NewTask[] tasks,
        IReadOnlyList<BatchedCreation> batched,
        CallContext context,
        CancellationToken cancellationToken)
    {
        var answers = new CreateAnswer[tasks.Length];
        List<int>? open = null;
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = batched[i].Answer;
            if (batched[i].Outcome != CreationOutcome.Answered)
            {
                (open ??= []).Add(i);
            }
        }

        if (open is not null)
        {
            // Creations of the same id stay together and in order.
            var same = open.GroupBy(place => tasks[place].Row.Id, StringComparer.Ordinal)
                .Select(group => group.ToArray()).ToList();
            foreach (var piece in Pieces.Of(same, places => places.Sum(place => tasks[place].Row.Bytes)))
            {
                var left = new LeftCreations(this, tasks, batched, context, answers, cancellationToken);
                await left.CreateAsync([.. piece]).ConfigureAwait(false);
            }
        }

        return answers;
    }

    /// <summary>The creations of one call that a batch left open.</summary>
    private sealed class LeftCreations(
        CreationsApart owner,
        NewTask[] tasks,
        IReadOnlyList<BatchedCreation> batched,
        CallContext context,
        CreateAnswer[] answers,
        CancellationToken cancellationToken)
    {
        /// <summary>
        /// Creates tasks together, each id with all of its places. If an id is held, the set is split in halves until
        /// that id waits alone.
        /// </summary>
        public async Task CreateAsync(int[][] ids)
        {
            try
            {
                await owner._retries.DoLeftAsync(() => CreateOnceAsync(ids), cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (Faults.IsHeld(e) && ids.Length > 1)
            {
                var half = ids.Length / 2;
                await Task.WhenAll(CreateAsync(ids[..half]), CreateAsync(ids[half..])).ConfigureAwait(false);
            }
            catch (PostgresException e) when (Faults.IsHeld(e))
            {
                using var held = owner._held.Add(tasks[ids[0][0]].Row.Id);
                await owner._retries.WaitAloneAsync(
                    () => CreateOnceAsync(ids), cancellationToken).ConfigureAwait(false);
            }
        }

        private async ValueTask<IReadOnlyList<CreateAnswer>> CreateOnceAsync(int[][] ids)
        {
            var places = ids.SelectMany(places => places).ToList();
            var definitions = places.ConvertAll(place => tasks[place].Row.Definition);
            var isInDoubt = places.Exists(place => batched[place].Outcome == CreationOutcome.InDoubt);
            var (first, tries) = (tasks[0], isInDoubt ? StepTry.MayHaveHappened : StepTry.First);
            var creation = new CreationStep(owner._parts, definitions, first.Rule, context, first.Row.Creation);
            var created = await owner._session.WriteAsync(
                creation.RunAsync, tries, OnHeld.Throw, cancellationToken).ConfigureAwait(false);
            foreach (var (place, answer) in places.Zip(created))
            {
                answers[place] = answer;
            }

            return created;
        }
    }
}
