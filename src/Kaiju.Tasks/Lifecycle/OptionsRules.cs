namespace Kaiju.Tasks.Lifecycle;

/// <summary>Reads the rules of the lifecycle from a host's options.</summary>
internal static class OptionsRules
{
    extension(KaijuTasksOptions options)
    {
        public LifecycleRules Rules => new()
        {
            RetryDelay = options.RetryDelay,
            MaxInterruptions = options.MaxInterruptions,
            PingInterval = options.PingInterval,
            ExecutorLifetime = options.PingInterval * options.MaxMissedPings,
            AbortGrace = options.AbortGrace,
            AbortOverdueQueued = options.AbortOverdueQueued,
            SuspendedLifetime = options.SuspendedLifetime,
            MissedRuns = options.MissedRuns,
            MissedRunTolerance = options.MissedRunTolerance,
            KeptRuns = options.KeptRuns,
        };
    }
}
