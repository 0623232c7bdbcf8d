namespace Kaiju.Tasks.Lifecycle;

/// <summary>The rules that a host's options ask for.</summary>
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
            KeptRuns = options.KeptRuns,
        };
    }
}
