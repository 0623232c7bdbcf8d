namespace Kaiju.Tasks.Lifecycle;

/// <summary>
/// The signature of <see cref="TaskLifecycle.Next"/>. Tests replace it by a function with a broken rule, to see that
/// the rule is tested.
/// </summary>
/// <param name="task">The definition.</param>
/// <param name="state">The state.</param>
/// <param name="happened">The event.</param>
/// <param name="now">The store's time.</param>
/// <param name="rules">The host's rules.</param>
public delegate Transition? LifecycleFunction(
    TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset now, LifecycleRules rules);
