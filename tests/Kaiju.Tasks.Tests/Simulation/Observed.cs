using System.Text.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// What the checker knows of a task, from what it saw happen and not from what the engine says of itself.
/// </summary>
internal sealed class ObservedTask(TaskDefinition definition, ManagedState state)
{
    public TaskDefinition Definition { get; } = definition;

    public string Id => Definition.Id!;

    public ManagedState State { get; set; } = state;

    public bool IsDeleted { get; set; }

    /// <summary>All its runs so far.</summary>
    public HashSet<string> Runs { get; } = [state.JobId];

    /// <summary>The results by run and pass, in the order of their stages.</summary>
    public Dictionary<(string JobId, int Pass), List<JsonElement>> Results { get; } = [];

    /// <summary>Of the current run: retries and interruptions, counted here.</summary>
    public int Retries { get; set; }

    /// <inheritdoc cref="Retries"/>
    public int Interruptions { get; set; }

    /// <summary>How often a claim ended before its work did, by run and attempt.</summary>
    public Dictionary<(string JobId, int Attempt), int> Losses { get; } = [];

    /// <summary>The run that is to begin at <see cref="ManagedState.NextRun"/> is one of the schedule's.</summary>
    public bool NextIsOccurrence { get; set; } = definition is { Cron: not null, RunAt: null };

    /// <summary>The occurrence that was begun last.</summary>
    public DateTimeOffset? LastOccurrence { get; set; }

    /// <summary>When the wait or the claim that is under way began.</summary>
    public DateTimeOffset Since { get; set; }

    /// <summary>Since the quiet began it has come to its end, or to a wait that has a name.</summary>
    public bool HasRested { get; set; }

    /// <summary>How long the wait is to be.</summary>
    public TimeSpan? WaitsFor { get; set; }

    public List<JsonElement> ResultsOf(string jobId, int pass)
    {
        if (!Results.TryGetValue((jobId, pass), out var results))
        {
            Results.Add((jobId, pass), results = []);
        }

        return results;
    }
}

/// <summary>A claim that the store has handed out.</summary>
internal sealed class ObservedClaim(ExecutorTask task)
{
    public ExecutorTask Task { get; } = task;

    /// <summary>The stages that were begun under it.</summary>
    public HashSet<int> Begun { get; } = [];

    /// <summary>Its holder never heard of it.</summary>
    public bool IsUnheard { get; set; }

    /// <summary>A stage was begun when the claim was lost already.</summary>
    public bool HasBegunLate { get; set; }
}

/// <summary>A handler's execution of a stage.</summary>
/// <param name="Claim">Under which claim.</param>
/// <param name="Stage">Which stage.</param>
internal sealed record Execution(Guid Claim, int Stage)
{
    /// <summary>It has ended with a result.</summary>
    public bool HasEnded { get; set; }

    /// <summary>It has ended with a result, with a failure, or because it was told to.</summary>
    public bool IsOver { get; set; }

    public bool Coin { get; set; }
}
