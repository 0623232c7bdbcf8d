using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>A task to create.</summary>
internal readonly record struct NewTask(TaskRow Row, ConflictRule Rule);

/// <summary>The outcome of a creation in a batch.</summary>
internal enum CreationOutcome
{
    /// <summary>Not created by the batch: its caller creates it.</summary>
    Open,

    /// <summary>Tried, and possibly committed. Its caller tries again.</summary>
    InDoubt,

    /// <summary>Answered by the batch.</summary>
    Answered,
}

/// <summary>The outcome of a creation in a batch, with the answer if there is one.</summary>
internal readonly record struct BatchedCreation(CreationOutcome Outcome, CreateAnswer Answer)
{
    public static BatchedCreation InDoubt { get; } = new(CreationOutcome.InDoubt, default);

    public static BatchedCreation Of(CreateAnswer answer) => new(CreationOutcome.Answered, answer);
}

/// <summary>Creations that run together, with their outcomes by place.</summary>
internal sealed class CreationBatch(IReadOnlyList<NewTask> tasks)
{
    public IReadOnlyList<NewTask> Tasks => tasks;

    public BatchedCreation[] Created { get; } = new BatchedCreation[tasks.Count];

    /// <summary>True if the statement failed because of some of the creations, and was split in halves.</summary>
    public bool IsHalved { get; set; }

    /// <summary>The first place of each id: later places conflict with the task that the first one creates.</summary>
    public int[] FirstOfEachId() =>
        [.. Enumerable.Range(0, tasks.Count).DistinctBy(place => tasks[place].Row.Id, StringComparer.Ordinal)];

    /// <summary>The places of creations without an answer that keep a stored task, by their ids.</summary>
    public ILookup<string, int> FindOpen() => Enumerable.Range(0, tasks.Count)
        .Where(place => Created[place].Outcome == CreationOutcome.Open
            && Tasks[place].Rule.OnConflict is OnConflict.Fail or OnConflict.Skip)
        .ToLookup(place => Tasks[place].Row.Id, StringComparer.Ordinal);

    /// <summary>
    /// Clears the doubt about calls for which a statement created a task now. A statement is atomic: if it did so, no
    /// earlier try created anything for that call.
    /// </summary>
    public void MarkFresh(ReadOnlySpan<int> places)
    {
        HashSet<Guid>? fresh = null;
        foreach (var place in places)
        {
            if (Created[place].Outcome == CreationOutcome.Answered)
            {
                (fresh ??= []).Add(Tasks[place].Row.Creation);
            }
        }

        foreach (var place in places)
        {
            if (Created[place].Outcome == CreationOutcome.InDoubt && fresh?.Contains(Tasks[place].Row.Creation) == true)
            {
                Created[place] = default;
            }
        }
    }

    /// <summary>Marks places as in doubt after the answer of their statement was lost.</summary>
    public void MarkInDoubt(ReadOnlySpan<int> places)
    {
        foreach (var place in places)
        {
            Created[place] = BatchedCreation.InDoubt;
        }
    }
}
