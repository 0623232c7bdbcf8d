using System.Text.Json;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// The truth about tasks. Every member is one atomic step: it happens whole or not at all, and what it answers has
/// happened when it answers. What a step changes is decided by <see cref="TaskLifecycle"/> alone, by the store's own
/// clock. Members may be called by any number of managers, executors and clients at once.
/// <para>Guards: a report is fenced by claim and stage; each manager's verb by the state that it starts from, so that
/// two managers do nothing twice; chaining happens in the transaction that finishes the task before.</para>
/// </summary>
public interface ITaskStore : ITaskReading,
ITaskSteering,
IManagerDuties,
IExecutorPort,
ITaskNotifications,
ITaskHints;
