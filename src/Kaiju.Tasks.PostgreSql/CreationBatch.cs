using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>A task that a call wants to create.</summary>
internal readonly record struct NewTask(TaskRow Row, OnConflict OnConflict);

/// <summary>What became of a creation.</summary>
internal enum CreationOutcome
{
    /// <summary>Nothing yet: it is left to its caller.</summary>
    Open,

    /// <summary>It was tried, and it is not known whether that has happened. It is left to its caller too.</summary>
    InDoubt,

    /// <summary>There is an answer.</summary>
    Answered,
}

/// <summary>What became of a creation, and the answer if there is one.</summary>
internal readonly record struct BatchedCreation(CreationOutcome Outcome, CreateAnswer Answer)
{
    public static BatchedCreation InDoubt { get; } = new(CreationOutcome.InDoubt, default);

    public static BatchedCreation Of(CreateAnswer answer) => new(CreationOutcome.Answered, answer);
}

/// <summary>Creations that are carried out together, and what became of them by their places.</summary>
internal sealed class CreationBatch(IReadOnlyList<NewTask> tasks)
{
    public IReadOnlyList<NewTask> Tasks => tasks;

    public BatchedCreation[] Created { get; } = new BatchedCreation[tasks.Count];

    /// <summary>The statement met something in its way, and was cut in halves.</summary>
    public bool IsHalved { get; set; }

    /// <summary>The places of the first of each id: an id that comes again meets what the first has created.</summary>
    public int[] FirstOfEachId() =>
        [.. Enumerable.Range(0, tasks.Count).DistinctBy(place => tasks[place].Row.Id, StringComparer.Ordinal)];

    /// <summary>The places of creations that keep what is stored, by the ids of those without an answer.</summary>
    public ILookup<string, int> FindOpen() => Enumerable.Range(0, tasks.Count)
        .Where(place => Created[place].Outcome == CreationOutcome.Open && Tasks[place].OnConflict != OnConflict.Replace)
        .ToLookup(place => Tasks[place].Row.Id, StringComparer.Ordinal);

    /// <summary>
    /// A statement is whole: if it has created something for a call now, it had created nothing for it before.
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

    /// <summary>The answer of a statement about these places was lost.</summary>
    public void MarkInDoubt(ReadOnlySpan<int> places)
    {
        foreach (var place in places)
        {
            Created[place] = BatchedCreation.InDoubt;
        }
    }
}
