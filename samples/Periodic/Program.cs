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
        options.KeptRuns = 100; // So that ListRunsAsync returns all runs; the default keeps 10.
        options.StopTimeout = TimeSpan.FromSeconds(1); // Longer runs are released when the host stops.
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

// Upserted, as at each start of a host: with a durable store the tasks exist already. Six fields begin with seconds.
// The first run comes at the first occurrence.
await tasks.UpsertAsync(new TaskDefinition { Id = "heartbeat", Cron = "*/2 * * * * *", Commands = [new("beat")] });

// Each run takes longer than the time between two occurrences. Runs never overlap: occurrences that pass in the
// meantime are skipped and counted.
await tasks.UpsertAsync(
    new TaskDefinition { Id = "slow", Cron = "*/3 * * * * *", Commands = [new("work", new { seconds = 4 })] });

// Each run fails at its first attempt. Retries belong to the run: the next occurrence follows after them.
await tasks.UpsertAsync(new TaskDefinition
{
    Id = "flaky",
    Cron = "*/5 * * * * *",
    Commands = [new("fetch")],
    MaxRetries = 2,
    RetryDelay = TimeSpan.FromSeconds(1),
});

// One of its runs is cancelled below; the task continues with its next occurrence.
await tasks.UpsertAsync(
    new TaskDefinition { Id = "cancelled", Cron = "*/4 * * * * *", Commands = [new("work", new { seconds = 1.5 })] });

// On demand: it runs only when it is reset, or started by another task.
await tasks.UpsertAsync(
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
        // The scenes end with the program.
    }

    screen.Say(stopped ? "Stopped with Ctrl-C." : "The time is over.");
    exitCode = stopped ? 130 : 0;
    show(await LookAsync());
});

// Before the stop: the client of a stopped host throws. Running stages then have a second to end.
var last = await LookAsync();
await host.StopAsync(CancellationToken.None);
foreach (var view in last)
{
    Console.WriteLine(Wording.LastLine(view));
}

return exitCode;

async Task CancelOneRunAsync(CancellationToken cancellationToken)
{
    // Waits for a run that is under way: an earlier cancel would skip its occurrence.
    await Task.Delay(TimeSpan.FromSeconds(5), cancellationToken);
    while (await tasks.GetAsync("cancelled", cancellationToken) is not { State: TaskState.Executing })
    {
        await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
    }

    if (await tasks.CancelAsync("cancelled", cancellationToken))
    {
        screen.Say("CancelAsync(\"cancelled\"): the run has failed for good, its token is cancelled.");
    }
}

async Task RestartTheReportAsync(CancellationToken cancellationToken)
{
    await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
    screen.Say("ResetAsync(\"report\") starts the report.");
    await tasks.ResetAsync("report", cancellationToken);

    // WaitAsync returns the outcome of the current run; a failure is an outcome too.
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
        // Runs that have ended, the latest first; the record has the present state.
        var runs = await tasks.ListRunsAsync(id);
        views.Add(new TaskView(await tasks.GetAsync(id) ?? throw new TaskNotFoundException(id), runs));
    }

    return views;
}
