namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// <see cref="TaskLifecycle.Next"/>, or what a test puts in its place to see a broken rule be caught.
/// </summary>
/// <param name="task">The definition.</param>
/// <param name="state">The state.</param>
/// <param name="happened">The event.</param>
/// <param name="now">The store's time.</param>
/// <param name="rules">The host's rules.</param>
public delegate Transition? LifecycleFunction(
    TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset now, LifecycleRules rules);
