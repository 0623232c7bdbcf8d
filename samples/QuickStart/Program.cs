using Kaiju.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using QuickStart;

if (Arguments.Read(args, out var arguments) is { } exitCode)
{
    return exitCode;
}

// The file keeps tasks beyond the process. After a stop or a kill they resume when the file is opened again, at the
// first stage that was not recorded.
var database = arguments.Database
    ?? Path.Combine(Directory.CreateTempSubdirectory("kaiju-quick-start-").FullName, "tasks.db");

// A host like any other: its manager and its executor run in this process.
var builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton<Screen>();
builder.Services.AddKaijuTasks(options =>
    {
        options.AppName = "quick-start";

        // Short, so that a killed process counts as dead within seconds.
        options.PingInterval = TimeSpan.FromSeconds(1);
        options.MaxMissedPings = 2;
    })
    .UseSqlite($"Data Source={database}")
    .AddCommands<WordCommands>()
    .AddCommand(
        "summary.print", async (string of, ITaskClient tasks, Screen screen, CancellationToken cancellationToken) =>
    {
        // Each failure leaves a notification too; the final notification has the results.
        var notifications = tasks.ListNotificationsAsync(new() { TaskId = of }, cancellationToken);
        var summary = Wording.Summary(
            await notifications.FirstAsync(notification => notification.IsFinal, cancellationToken));
        screen.Say($"Summary of {of}: {summary}");
        return summary;
    });

using var host = builder.Build();
await host.StartAsync();
var tasks = host.Services.GetRequiredService<ITaskClient>();
var screen = host.Services.GetRequiredService<Screen>();
var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
if (await tasks.GetAsync("words-summary") is { HasEnded: false }
    && await tasks.GetAsync("words-report") is { HasEnded: false } known)
{
    screen.Say($"Resuming the tasks in {database}: {Wording.Place(known)}");
}
else
{
    screen.Say($"Counting the words of the text files below {arguments.Folder}; the tasks are kept in {database}");
    await CreateTasksAsync();
}

var stopped = false;
try
{
    await screen.FollowAsync(UntilTheEndAsync);
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    screen.Say($"Stopped early. Resume with: dotnet run --project samples/QuickStart -- --database {database}");
    stopped = true;
}

// Before the stop: the client of a stopped host throws.
var last = await tasks.ListAsync().OrderBy(task => task.Id).ToListAsync();
await host.StopAsync(CancellationToken.None);
last.ForEach(task => Console.WriteLine(Wording.LastLine(task)));
return stopped ? 130 : last.TrueForAll(task => task.State == TaskState.Finished) ? 0 : 1;

async Task CreateTasksAsync()
{
    // On demand: it runs when the other task has finished and starts it.
    var summary = new TaskDefinition
    {
        Id = "words-summary",
        RunAt = TaskDefinition.OnDemand,
        Commands = [new("summary.print", new { of = "words-report" })],
    };

    // Texts in brackets are templates: [kws.folder] is data of the task, [1.words] a member of the result of stage 1.
    var report = new TaskDefinition
    {
        Id = "words-report",
        Kws = new { folder = arguments.Folder, limit = arguments.Limit, report = Path.GetFullPath("report.md") },
        Commands =
        [
            new("words.find", new { folder = "[kws.folder]" }),
            new("words.count", new { folder = "[kws.folder]", files = "[0.files]" })
            {
                MaxTimeout = TimeSpan.FromMinutes(1),
            },
            new("words.warn", new { words = "[1.words]", limit = "[kws.limit]" })
            {
                Condition = TaskCondition.Where("1.words").GreaterThan("[kws.limit]"),
            },
            new TimerCommand(TimeSpan.FromSeconds(2)),
            new MessageCommand { MaxTimeout = TimeSpan.FromMinutes(10) },
            new(
                "report.write",
                new
                {
                    path = "[kws.report]",
                    title = "[!f:{1-words} words in {1-files} files]",
                    largest = "[1.largest]",
                    by = "[4.by:no one]",
                })
            {
                Condition = TaskCondition.Where("4.approved").EqualTo(true),
            },
        ],
        MaxRetries = 3,
        RetryDelay = TimeSpan.FromSeconds(1),
        Notify = true,
        NextTask = "words-summary",
    };

    await tasks.CreateManyAsync([summary, report], new() { OnConflict = OnConflict.Replace });
}

async Task UntilTheEndAsync(Action<IReadOnlyList<TaskRecord>> show)
{
    var approval = new Approval(arguments, screen);
    while (true)
    {
        var report = await tasks.GetAsync("words-report", stopping) ?? throw new TaskNotFoundException("words-report");
        var summary = await tasks.GetAsync("words-summary", stopping)
            ?? throw new TaskNotFoundException("words-summary");
        show([report, summary]);
        if (summary.HasEnded || (report.HasEnded && report.State == TaskState.Failed))
        {
            return;
        }

        if (report.Wait == WaitKind.Message && approval.Read() is { } answer)
        {
            await tasks.SendMessageAsync(report.Id, answer, stopping);
        }

        await Task.Delay(TimeSpan.FromMilliseconds(50), stopping);
    }
}
