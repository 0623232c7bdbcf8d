using System.Text.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The checker's record of a task, from observed events and not from the engine's own state.</summary>
internal sealed class ObservedTask(TaskDefinition definition, ManagedState state)
{
    public TaskDefinition Definition { get; } = definition;

    public string Id => Definition.Id!;

    public ManagedState State { get; set; } = state;

    public bool IsDeleted { get; set; }

    /// <summary>The task's runs so far.</summary>
    public HashSet<string> Runs { get; } = [state.JobId];

    /// <summary>The results by run and pass, in the order of their stages.</summary>
    public Dictionary<(string JobId, int Pass), List<JsonElement>> Results { get; } = [];

    /// <summary>Retries and interruptions of the current run, counted by the checker.</summary>
    public int Retries { get; set; }

    /// <inheritdoc cref="Retries"/>
    public int Interruptions { get; set; }

    /// <summary>The retries of the present stage in the present pass, counted by the checker.</summary>
    public int StageRetries { get; set; }

    /// <summary>How often a claim ended before its work did, by run and attempt.</summary>
    public Dictionary<(string JobId, int Attempt), int> Losses { get; } = [];

    /// <summary>How often a stage was snoozed, by run and attempt.</summary>
    public Dictionary<(string JobId, int Attempt, int Stage), int> Snoozes { get; } = [];

    /// <summary>The run that begins at <see cref="ManagedState.NextRun"/> is one of the schedule's.</summary>
    public bool NextIsOccurrence { get; set; } = definition is { Cron: not null, RunAt: null };

    /// <summary>The occurrence that was begun last.</summary>
    public DateTimeOffset? LastOccurrence { get; set; }

    /// <summary>The start of the current wait or claim.</summary>
    public DateTimeOffset Since { get; set; }

    /// <summary>Since the quiet began the task has come to rest.</summary>
    public bool HasRested { get; set; }

    /// <summary>The length of the wait.</summary>
    public TimeSpan? WaitsFor { get; set; }

    /// <summary>The kind of the wait.</summary>
    public WaitKind WaitsAs { get; set; }

    /// <summary>True if the stage's own budget has a retry left.</summary>
    public bool HasStageRetry(int stage) => StageRetries < (Definition.Commands[stage].MaxRetries ?? 0);

    public List<JsonElement> ResultsOf(string jobId, int pass)
    {
        if (!Results.TryGetValue((jobId, pass), out var results))
        {
            Results.Add((jobId, pass), results = []);
        }

        return results;
    }
}

/// <summary>A claim that the store has answered.</summary>
internal sealed class ObservedClaim(ExecutorTask task)
{
    public ExecutorTask Task { get; } = task;

    /// <summary>The stages that were begun under it.</summary>
    public HashSet<int> Begun { get; } = [];

    /// <summary>Its holder never received it.</summary>
    public bool IsUnheard { get; set; }

    /// <summary>A stage was begun after the claim was lost.</summary>
    public bool HasBegunLate { get; set; }
}

/// <summary>A handler's execution of a stage.</summary>
/// <param name="Claim">The claim of the execution.</param>
/// <param name="Stage">The position of the stage.</param>
internal sealed record Execution(Guid Claim, int Stage)
{
    /// <summary>The execution has ended with a result.</summary>
    public bool HasEnded { get; set; }

    /// <summary>The execution has ended with a result, a failure or a cancellation.</summary>
    public bool IsOver { get; set; }

    public bool Coin { get; set; }
}
