using System.Text.Json;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>The objects that all runs of an executor share.</summary>
/// <param name="Data">The executor's data for templates, a JSON object.</param>
/// <param name="Stages">The runner of stages.</param>
/// <param name="Delays">The delays before retries.</param>
/// <param name="Reporter">The reporter of outcomes.</param>
/// <param name="Claims">The executor's claims, to confirm one before a stage.</param>
/// <param name="Runs">The active runs.</param>
/// <param name="Stopped">The claims of runs that a stop has ended.</param>
/// <param name="Stop">The executor's stop.</param>
/// <param name="Clock">The clock of deadlines and stages.</param>
/// <param name="Offload">The thread pool that runs are started on.</param>
internal sealed record RunParts(
    JsonElement Data,
    StageRunner Stages,
    RetryDelays Delays,
    StageReporter Reporter,
    HeldClaims Claims,
    ActiveRuns Runs,
    StoppedClaims Stopped,
    ExecutorStop Stop,
    TimeProvider Clock,
    Offload Offload);
