using System.Globalization;
using Kaiju.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Periodic;

if (Arguments.Read(args, out var arguments) is { } nothingToDo)
{
    return nothingToDo;
}

var clock = TimeProvider.System;
var started = clock.GetTimestamp();
TimeSpan Elapsed() => clock.GetElapsedTime(started);

var builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddKaijuTasks(options =>
    {
        options.AppName = "periodic";
        options.KeptRuns = 100; // ListRunsAsync is to tell of all runs; 10 earlier ones are kept by default.
        options.StopTimeout = TimeSpan.FromSeconds(1); // Runs that take longer are given back when the host stops.
    })
    .AddCommand("beat", () => "alive")
    .AddCommand("work", async (double seconds, CancellationToken cancellationToken) =>
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);
        return string.Create(CultureInfo.InvariantCulture, $"{seconds} s of work");
    })
    .AddCommand(
        "fetch",
        (StageContext stage) =>
            stage.Attempt > 1 ? $"fetched at attempt {stage.Attempt}" : throw new IOException("The line is busy"))
    .AddCommand(
        "report",
        () => Elapsed() > TimeSpan.FromSeconds(6)
            ? "written"
            : throw new InvalidDataException("The figures are not in yet"));

using var host = builder.Build();
await host.StartAsync();
var tasks = host.Services.GetRequiredService<ITaskClient>();
using var ending = CancellationTokenSource.CreateLinkedTokenSource(
    host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);

// Six fields begin with seconds. The first run comes at the first occurrence.
await tasks.CreateAsync(new TaskDefinition { Id = "heartbeat", Cron = "*/2 * * * * *", Commands = [new("beat")] });

// Each run takes longer than the time between two occurrences. Runs never overlap: what passes meanwhile is skipped,
// and counted.
await tasks.CreateAsync(
    new TaskDefinition { Id = "slow", Cron = "*/3 * * * * *", Commands = [new("work", new { seconds = 4 })] });

// Each run fails at its first attempt. Its retries belong to the run: the next occurrence comes when they are over.
await tasks.CreateAsync(new TaskDefinition
{
    Id = "flaky",
    Cron = "*/5 * * * * *",
    Commands = [new("fetch")],
    MaxRetries = 2,
    RetryDelay = TimeSpan.FromSeconds(1),
});

// One of its runs is cancelled below; the task goes on with its next occurrence.
await tasks.CreateAsync(
    new TaskDefinition { Id = "cancelled", Cron = "*/4 * * * * *", Commands = [new("work", new { seconds = 1.5 })] });

// It has no time of its own: something must start it.
await tasks.CreateAsync(
    new TaskDefinition { Id = "report", RunAt = TaskDefinition.OnDemand, Commands = [new("report")] });

string[] ids = ["heartbeat", "slow", "flaky", "cancelled", "report"];
var exitCode = 0;
var screen = new Screen(Elapsed, arguments.Length);
await screen.FollowAsync(async show =>
{
    var scenes = Task.WhenAll(CancelOneRunAsync(ending.Token), RestartTheReportAsync(ending.Token));
    while (Elapsed() < arguments.Length && !ending.IsCancellationRequested)
    {
        show(await LookAsync());
        await Task.Delay(
            TimeSpan.FromMilliseconds(100), ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    var stopped = ending.IsCancellationRequested;
    await ending.CancelAsync();
    try
    {
        await scenes;
    }
    catch (OperationCanceledException)
    {
        // They end with the program, whatever they were at.
    }

    screen.Say(stopped ? "Stopped with Ctrl-C." : "The time is over.");
    exitCode = stopped ? 130 : 0;
    show(await LookAsync());
});

// What runs now has a second to end. The store in memory is still there, so the last words can come from it.
await host.StopAsync(CancellationToken.None);
var last = await LookAsync();
foreach (var view in last)
{
    Console.WriteLine(Wording.LastLine(view));
}

if (last.Any(view => view.Task.State == TaskState.Suspended))
{
    Console.WriteLine("SUSPENDED: given back by the host that stopped; over a lasting store it would go on.");
}

return exitCode;

async Task CancelOneRunAsync(CancellationToken cancellationToken)
{
    // A run that is under way: cancelled before, it would never have begun.
    await Task.Delay(TimeSpan.FromSeconds(5), cancellationToken);
    while (await tasks.GetAsync("cancelled", cancellationToken) is not { State: TaskState.Executing })
    {
        await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
    }

    if (await tasks.CancelAsync("cancelled", cancellationToken))
    {
        screen.Say("CancelAsync(\"cancelled\"): the run has failed for good, its handler is told.");
    }
}

async Task RestartTheReportAsync(CancellationToken cancellationToken)
{
    await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
    screen.Say("ResetAsync(\"report\") starts it.");
    await tasks.ResetAsync("report", cancellationToken);

    // WaitAsync answers with the outcome of this run; a failure is an outcome as well.
    var run = await tasks.WaitAsync("report", cancellationToken);
    screen.Say($"The report {Wording.Outcome(run)}. That is final: it has no retries.");

    await Task.Delay(TimeSpan.FromSeconds(5), cancellationToken);
    screen.Say("ResetAsync(\"report\") begins a new run from the first stage.");
    await tasks.ResetAsync("report", cancellationToken);
    run = await tasks.WaitAsync("report", cancellationToken);
    screen.Say($"The report {Wording.Outcome(run)}.");
}

async Task<IReadOnlyList<TaskView>> LookAsync()
{
    var views = new List<TaskView>();
    foreach (var id in ids)
    {
        // Runs that have ended, the latest first; what the task is doing now is in its record.
        var runs = await tasks.ListRunsAsync(id);
        views.Add(new TaskView(await tasks.GetAsync(id) ?? throw new TaskNotFoundException(id), runs));
    }

    return views;
}
