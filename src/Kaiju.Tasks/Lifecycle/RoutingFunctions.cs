namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// The functions of <see cref="TaskRouting"/> that a store in memory calls. A broken one is used to prove that the rule
/// is tested.
/// </summary>
/// <param name="Compute">Computes the routing: the constructor.</param>
/// <param name="Decide">
/// Decides the hold in a step that queues a task: <see cref="TaskRouting.Decide(string, ManagedState)"/>.
/// </param>
internal sealed record RoutingFunctions(
    Func<
        IEnumerable<(string AppName, string Method, int Executors)>,
        IEnumerable<TaskPause>,
        DateTimeOffset,
        TaskRouting> Compute,
    Func<TaskRouting, string, ManagedState, ManagedState> Decide)
{
    /// <summary>The functions as they are.</summary>
    public static RoutingFunctions Unchanged { get; } = new(
        static (known, pauses, now) => new TaskRouting(known, pauses, now),
        static (routing, appName, state) => routing.Decide(appName, state));
}
