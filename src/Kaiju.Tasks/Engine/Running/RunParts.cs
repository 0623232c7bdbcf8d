using System.Text.Json;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>What all runs of an executor share.</summary>
/// <param name="Data">What templates see of the executor.</param>
/// <param name="Stages">Runs stages.</param>
/// <param name="Reporter">Reports their outcomes.</param>
/// <param name="Claims">Knows whether a claim is still held.</param>
/// <param name="Runs">The runs that are active.</param>
/// <param name="Stopped">Takes the claims of runs that a stop has ended.</param>
/// <param name="Stop">The executor's stop.</param>
/// <param name="Clock">Measures deadlines and stages.</param>
/// <param name="Offload">Begins runs.</param>
internal sealed record RunParts(
    JsonElement Data,
    StageRunner Stages,
    StageReporter Reporter,
    HeldClaims Claims,
    ActiveRuns Runs,
    StoppedClaims Stopped,
    ExecutorStop Stop,
    TimeProvider Clock,
    Offload Offload);
