using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Copies of the values that the engine and a store exchange, with one member changed. The adapters call them here,
/// since the methods of the types are internal to the core.
/// </summary>
internal static class Copies
{
    public static StageReport WithOutcome(this StageReport report, StageOutcome outcome) => report.WithOutcome(outcome);

    public static ExecutorTask WithResult(this ExecutorTask task, IReadOnlyList<JsonElement> result) =>
        task.WithResult(result);
}
