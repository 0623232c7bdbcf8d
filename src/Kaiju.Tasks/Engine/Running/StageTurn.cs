namespace Kaiju.Tasks.Engine;

/// <summary>The result of a stage's turn on the run's thread.</summary>
internal abstract record StageTurn
{
    private StageTurn()
    {
    }

    /// <summary>The stage has an outcome that must be reported.</summary>
    /// <param name="Outcome">The outcome.</param>
    /// <param name="Cause">The exception of users' code that caused a failure, for the log; null without one.</param>
    public sealed record Ended(StageOutcome Outcome, Exception? Cause = null) : StageTurn;

    /// <summary>The run must stop. The stage must not be reported; it runs again elsewhere.</summary>
    public sealed record Stopped : StageTurn
    {
        public static readonly Stopped Instance = new();

        private Stopped()
        {
        }
    }

    /// <summary>
    /// A successor has taken the run from this thread (<see cref="HandlerCall"/>), which must not use it any more.
    /// </summary>
    public sealed record Abandoned : StageTurn
    {
        public static readonly Abandoned Instance = new();

        private Abandoned()
        {
        }
    }
}
