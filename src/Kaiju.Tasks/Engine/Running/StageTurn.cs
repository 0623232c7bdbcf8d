namespace Kaiju.Tasks.Engine;

/// <summary>How a stage's turn on its thread came out.</summary>
internal abstract record StageTurn
{
    private StageTurn()
    {
    }

    /// <summary>The stage has an outcome, which is to be reported.</summary>
    /// <param name="Outcome">The outcome.</param>
    /// <param name="Cause">The exception of the user's code behind a failure, for the log; null if there is
    /// none.</param>
    public sealed record Ended(StageOutcome Outcome, Exception? Cause = null) : StageTurn;

    /// <summary>The run must stop, and nothing may be reported of the stage: it runs again elsewhere.</summary>
    public sealed record Stopped : StageTurn
    {
        public static readonly Stopped Instance = new();

        private Stopped()
        {
        }
    }

    /// <summary>
    /// The run has been taken from this thread (<see cref="HandlerCall"/>), which must not touch it any more.
    /// </summary>
    public sealed record Abandoned : StageTurn
    {
        public static readonly Abandoned Instance = new();

        private Abandoned()
        {
        }
    }
}
