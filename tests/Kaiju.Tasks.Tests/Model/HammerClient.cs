using System.Text.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Model;

/// <summary>
/// Creates tasks one after another, sends each messages or cancels it, waits for its end, and checks everything it has
/// left.
/// </summary>
internal sealed class HammerClient(ITaskStore store, ITaskClient client, HammerWork work, int number)
{
    private readonly Random _random = new(number);

    /// <summary>Runs until it is cancelled; returns the number of tasks that have ended.</summary>
    public async Task<int> RunAsync(Func<bool> goesOn)
    {
        var ended = 0;
        for (; goesOn(); ended++)
        {
            var definition = Definition($"t{number}-{ended}");
            await client.CreateAsync(definition);
            var end = client.WaitAsync(definition.Id!);
            var isCancelled = _random.Next(10) == 0 && await CancelAsync(definition.Id!, end);
            await SendMessagesAsync(definition.Id!, end);
            await CheckAsync(definition, await end, isCancelled);
        }

        return ended;
    }

    private TaskDefinition Definition(string id) => new()
    {
        Id = id,
        Notify = true,
        MaxRetries = _random.Next(4),
        RetryDelay = TimeSpan.FromMilliseconds(_random.Next(3) * 2),
        RestartPolicy = (RestartPolicy)_random.Next(2),
        Priority = _random.Next(3),
        Commands = [.. Enumerable.Range(0, _random.Next(1, 5)).Select(_ => Command())],
    };

    private TaskCommand Command() => _random.Next(8) switch
    {
        0 => new TimerCommand(TimeSpan.FromMilliseconds(_random.Next(1, 20))),
        1 => new MessageCommand { MaxTimeout = TimeSpan.FromMinutes(1) },
        2 or 3 => new TaskCommand("flaky"),
        _ => new TaskCommand("work"),
    };

    private async Task<bool> CancelAsync(string id, Task end)
    {
        if (_random.Next(2) == 0)
        {
            // Probably while the task runs. A task that begins with a wait runs no stage; it is cancelled while it
            // waits.
            await Task.WhenAny(
                end, work.Begun(id).Task, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }

        return await client.CancelAsync(id);
    }

    /// <summary>Sends a message after every change of the task, until its run has ended.</summary>
    private async Task SendMessagesAsync(string id, Task end)
    {
        // Not disposed: a hint may be on its way when listening ends.
        var changed = new SemaphoreSlim(0);
        using var listening = store.Listen(hint =>
        {
            if (hint.Kinds.HasFlag(StoreHintKinds.Duty))
            {
                changed.Release();
            }
        });
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!end.IsCompleted)
        {
            bound.Token.ThrowIfCancellationRequested();
            if (!await client.SendMessageAsync(id, "hello"))
            {
                // Hints may be merged and lost, so the wait for one is short.
                await Task.WhenAny(end, changed.WaitAsync(TimeSpan.FromMilliseconds(20)));
            }
        }
    }

    private async Task CheckAsync(TaskDefinition definition, TaskRun run, bool isCancelled)
    {
        var task = (await client.GetAsync(definition.Id!))!;
        var results = task.Result
            .Where(result => result.ValueKind == JsonValueKind.Object)
            .Select(result => result.Deserialize<HammerResult>(JsonSerializerOptions.Web)!).ToList();
        var notifications = (await store.ListNotificationsAsync(
            new NotificationQuery { TaskId = task.Id }, null, 100, default)).Items;

        task.HasEnded.Should().BeTrue();
        run.State.Should().Be(task.State);
        task.Result.Should().HaveCount(
            task.State == TaskState.Finished ? task.Stages : task.Stage,
            "every stage before the present one has left its result");
        CheckKinds(definition, task);
        results.Where(
            result => (result.Task, result.Run, result.Pass) != (task.Id, task.JobId, task.Managed.ResultPass))
            .Should().BeEmpty("it shows results of its own run and pass");
        results.Select(result => result.Before)
            .Should().Equal(
                results.Select(result => result.Number).Prepend(0).SkipLast(1), "each stage saw the results before it");
        work.Recorded(task.Id, results);

        notifications.Where(notification => notification.IsFinal).Should().ContainSingle().Which.State
            .Should().Be(task.State);
        if (isCancelled)
        {
            task.Error!.Kind.Should().Be(TaskErrorKind.Cancelled);
        }
        else
        {
            notifications.Should().HaveCount(task.Retries + 1, "each failure and the end have left one");
            (task.State == TaskState.Finished || (task.Error!.Kind == TaskErrorKind.Handler
                && task.Retries == definition.MaxRetries)).Should().BeTrue();
        }
    }

    private static void CheckKinds(TaskDefinition definition, TaskRecord task)
    {
        foreach (var (result, command) in task.Result.Zip(definition.Commands))
        {
            result.ValueKind.Should().Be(command switch
            {
                TimerCommand => JsonValueKind.Null,
                MessageCommand => JsonValueKind.String,
                _ => JsonValueKind.Object,
            });
        }
    }
}
