using System.Text.Json;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// The store of all tasks. Every member is one atomic step: it completes or changes nothing, and is complete when its
/// answer arrives. <see cref="TaskLifecycle"/> alone decides the changes of a step, by the store's own clock. Any
/// number of managers, executors and clients may call at once.
/// <para>Guards: a report is fenced by claim and stage. A manager's duty is guarded by the state from which it starts,
/// so that two managers do nothing twice. The next task is started in the transaction that finishes the task before.
/// </para>
/// </summary>
public interface ITaskStore : ITaskReading,
ITaskSteering,
IManagerDuties,
IExecutorPort,
ITaskNotifications,
ITaskHints;
