using Kaiju.Tasks.Relational;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Faults;

/// <summary>
/// The client of a run: creates tasks of several kinds as fast as they are done, sends messages to waiting ones, and
/// remembers acknowledged creations.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    private const int MostOpenSlow = 60;
    private const int Batch = 20;

    private static readonly string[] _methods = ["work", "old", "new"];

    private readonly IHost _host;
    private readonly Random _random;
    private readonly FaultDatabase _database;
    private readonly bool _isSlow;
    private readonly bool _mixesCommands;
    private readonly int _mostOpen;
    private int _next;

    public Load(FaultDatabase database, string store, string connectionString, int seed, string scenario, int mostOpen)
    {
        (_isSlow, _mixesCommands) = (scenario == "freeze", scenario == "deploy");
        (_database, _mostOpen, _random) = (
            database, _isSlow ? Math.Min(mostOpen / 4, MostOpenSlow) : mostOpen, new Random(seed));
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.None);
        Worker.Use(builder.Services, store, connectionString, TaskRoles.Client);
        _host = builder.Build();
    }

    /// <summary>The ids of the acknowledged creations.</summary>
    public List<string> Acknowledged { get; } = [];

    public ITaskClient Client => _host.Services.GetRequiredService<ITaskClient>();

    /// <summary>Creates tasks and sends messages until it is cancelled and has created enough.</summary>
    public async Task CreateAsync(int least, CancellationToken stop)
    {
        await TryAsync(() => Client.CreateManyAsync(Enumerable.Range(0, 3).Select(Periodic)));
        while (!stop.IsCancellationRequested || Acknowledged.Count < least)
        {
            await AnswerAsync();
            // Held tasks count less: they may have to wait for an executor of another version.
            if (await OpenAsync("and (hold = 0 or task_no % 8 = 0)") < _mostOpen)
            {
                // Creates tasks one by one as well as in batches.
                var definitions = Enumerable.Range(0, _random.Next(4) == 0 ? 1 : Batch).Select(_ => Next()).ToList();
                await TryAsync(() => Client.CreateManyAsync(definitions));
            }
            else
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    /// <summary>
    /// Stops occurrences and lets the created tasks end. Returns the number of tasks that have not ended in time.
    /// </summary>
    public async Task<long> FinishAsync(TimeSpan patience)
    {
        for (var i = 0; i < 3; i++)
        {
            var id = $"periodic-{i}";
            if (Acknowledged.Contains(id))
            {
                await Client.UpdateAsync(id, definition => definition with { Cron = null, RunAt = null });
            }
        }

        var started = TimeProvider.System.GetTimestamp();
        long open;
        while ((open = await OpenAsync()) > 0 && TimeProvider.System.GetElapsedTime(started) < patience)
        {
            await AnswerAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        return open;
    }

    /// <summary>Creates a task that no schedule starts.</summary>
    public Task CreateOnDemandAsync(string id) => Client.CreateAsync(
        new() { Id = id, RunAt = TaskDefinition.OnDemand, Commands = [Work()] });

    public Task<bool> DeleteAsync(string id) => Client.DeleteAsync(id);

    public ValueTask DisposeAsync()
    {
        _host.Dispose();
        return default;
    }

    /// <summary>Tasks with work left.</summary>
    /// <param name="queued">A condition on those that are queued.</param>
    private async Task<long> OpenAsync(string queued = "")
    {
        try
        {
            return await _database.CountAsync(
                $"select count(*) from [states] where ((state = 1 {queued}) or state in (2, 3, 4) or (state = 0 and "
                    + "next_run is not null) or (state = 6 and retry_at is not null)) "
                    + $"and wait <> {NewerTables.Kind} and hold <> {NewerTables.Kind}");
        }
        catch (System.Data.Common.DbException)
        {
            return _mostOpen;
        }
    }

    private async Task AnswerAsync()
    {
        try
        {
            var page = await Client.ListPageAsync(new TaskQuery { State = TaskState.Waiting }, null, 100);
            foreach (var task in page.Items.Where(task => task.Wait == WaitKind.Message))
            {
                await Client.SendMessageAsync(task.Id, new { hello = task.Id });
            }
        }
        catch (Exception e) when (e is not (ArgumentException or TaskValidationException))
        {
            // The server is away; the messages are sent when it is back.
        }
    }

    private async Task TryAsync(Func<Task<IReadOnlyList<TaskHandle>>> create)
    {
        try
        {
            Acknowledged.AddRange(
                (await create()).Where(answer => answer.Result == CreateResult.Created)
                    .Select(answer => answer.TaskId));
        }
        catch (Exception e) when (e is not (ArgumentException or TaskValidationException))
        {
            // Not acknowledged: these tasks may exist or not.
        }
    }

    private static TaskDefinition Periodic(int number) => new()
    {
        Id = $"periodic-{number}",
        Cron = "* * * * * *",
        Commands = [new("work", new { ms = 5, stubborn = false })],
    };

    private TaskDefinition Next()
    {
        var number = _next++;
        if (_mixesCommands && number % 5 >= 3)
        {
            return Mixed(number);
        }

        TaskCommand[] commands = [Work(), Work(), Work(), Work()];
        switch (number % 5)
        {
            case 1:
                commands[1] = new TimerCommand(TimeSpan.FromMilliseconds(_random.Next(1, 500)));
                break;
            case 2:
                commands[_random.Next(4)] = new MessageCommand();
                break;
        }

        return new TaskDefinition
        {
            Id = $"task-{number:000000}",
            Commands = commands,
            MaxRetries = 3,
            Priority = _random.Next(3),
            Notify = number % 7 == 0,
        };
    }

    /// <summary>
    /// A task of one to four commands, some of which not every version knows. A method may be a template.
    /// </summary>
    private TaskDefinition Mixed(int number)
    {
        var commands = Enumerable.Range(0, _random.Next(1, 5))
            .Select(_ => new TaskCommand(_methods[_random.Next(3)], new { ms = _random.Next(1, 20), stubborn = false }))
            .ToArray();
        var filled = commands[^1].Method;
        if (number % 2 == 0)
        {
            commands[^1] = commands[^1] with { Method = "[kws.method]" };
        }

        return new TaskDefinition
        {
            Id = $"task-{number:000000}",
            Kws = new { method = filled },
            Commands = commands,
            Priority = _random.Next(3),
        };
    }

    private TaskCommand Work() => _isSlow
        ? new("work", new { ms = _random.Next(50, 400), stubborn = _random.Next(2) == 0 })
        : new("work", new { ms = _random.Next(1, 20), stubborn = false });
}
