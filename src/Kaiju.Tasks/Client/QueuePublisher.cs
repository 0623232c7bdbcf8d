using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Client;

/// <summary>Publishes newly created tasks that are queued.</summary>
internal sealed class QueuePublisher(ClientCalls calls, ITaskQueue queue, StoreOutages outages)
{
    private const string PublishWork = "publish queued tasks";

    /// <summary>
    /// Publishes the queued ones of the created tasks. A failure is logged instead of thrown, because the tasks are
    /// stored.
    /// </summary>
    public async Task PublishAsync(
        IEnumerable<TaskDefinition> definitions, IEnumerable<CreateAnswer> answers, CancellationToken cancellationToken)
    {
        var tasks = definitions.Zip(answers)
            .Where(pair => IsQueued(pair.Second))
            .Select(pair => new QueuedTask(pair.Second.TaskId, pair.First.AppName!))
            .ToList();
        if (tasks.Count == 0)
        {
            return;
        }

        try
        {
            await calls.AskAsync(
                ClientCall.Write("PublishAsync of the queue", tasks[0].TaskId),
                (queue, tasks),
                static async (_, told, token) =>
                {
                    await told.queue.PublishAsync(told.tasks, token).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
            outages.Succeeded(PublishWork);
        }
        catch (Exception e)
        {
            // The tasks are stored, and executors find them at their next poll.
            outages.Failed(PublishWork, e);
        }
    }

    private static bool IsQueued(CreateAnswer answer) =>
        answer is { Result: CreateResult.Created or CreateResult.Replaced, State: TaskState.Queued };
}
