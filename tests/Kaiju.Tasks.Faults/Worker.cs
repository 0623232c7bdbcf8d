using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Faults;

/// <summary>One of the harmed processes: a manager or an executor over the shared database.</summary>
internal static class Worker
{
    public const int Slots = 8;

    /// <summary>One occurrence a second is due.</summary>
    public const int MissedPings = 2;

    /// <summary>
    /// The commands of each version of the program. Version 2 has lost one command of version 1 and has a new one.
    /// </summary>
    public static IReadOnlyList<string[]> Commands { get; } = [["work"], ["work", "old"], ["work", "new"]];

    public static async Task<int> RunAsync(string[] args)
    {
        var (role, store, connectionString, witness) = (args[0], args[1], args[2], args[3]);
        using var file = new WitnessFile(witness);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(new LoggedEvents(file)).AddFilter(null, LogLevel.Warning);
        if (Environment.GetEnvironmentVariable("KAIJU_FAULTS_LOG") is not null)
        {
            builder.Logging.AddSimpleConsole();
        }

        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(20));
        var missedPings = int.Parse(args[4], CultureInfo.InvariantCulture);
        var version = int.Parse(args[5], CultureInfo.InvariantCulture);
        var tasks = Use(
            builder.Services,
            store,
            connectionString,
            role == "manager" ? TaskRoles.Manager : TaskRoles.Executor,
            missedPings);
        foreach (var command in Commands[version])
        {
            tasks.AddCommand(
                command, async (int ms, bool stubborn, StageContext stage, CancellationToken cancellationToken) =>
            {
                file.Began(stage, version);
                await Task.Delay(
                    TimeSpan.FromMilliseconds(ms),
                    TimeProvider.System,
                    stubborn ? CancellationToken.None : cancellationToken);
                return stage.Stage;
            });
        }

        using var host = builder.Build();
        try
        {
            await host.RunAsync();
        }
        catch (OperationCanceledException)
        {
            // The stop was requested while the worker was starting.
        }

        return 0;
    }

    /// <summary>
    /// The library's options in every process: dead executors are found quickly, and tasks have long timeouts.
    /// </summary>
    public static KaijuTasksBuilder Use(
        IServiceCollection services,
        string store,
        string connectionString,
        TaskRoles roles,
        int missedPings = MissedPings)
    {
        var builder = services.AddKaijuTasks(options =>
        {
            options.Roles = roles;
            options.Capacity = Slots;
            options.PingInterval = TimeSpan.FromSeconds(1);
            options.MaxMissedPings = missedPings;
            options.ClaimCheckInterval = TimeSpan.FromMilliseconds(500);
            options.PollInterval = TimeSpan.FromSeconds(1);
            options.MaxInterruptions = 1000;
            options.RetryDelay = RetryDelay.None;
            options.StopTimeout = TimeSpan.FromSeconds(5);
        });
        return store == "sqlite"
            ? builder.UseSqlite(connectionString, options => options.MigrateAtStart = false)
            : builder.UsePostgreSql(connectionString, options => options.MigrateAtStart = false);
    }
}

/// <summary>
/// The log of a process with every execution of a stage at its start: a file in the run's folder, one line in one
/// write.
/// </summary>
internal sealed class WitnessFile(string folder) : IDisposable
{
    private readonly FileStream _file = new(
        Path.Combine(folder, $"{Environment.ProcessId}-{TimeProvider.System.GetTimestamp()}"),
        FileMode.CreateNew,
        FileAccess.Write,
        FileShare.Read,
        bufferSize: 0);

    public void Began(StageContext stage, int version)
    {
        var now = TimeProvider.System.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        Write(
            string.Create(
                CultureInfo.InvariantCulture,
                $"began {now} {stage.TaskId} {stage.JobId} {stage.Pass} {stage.Stage} {stage.Claim} "
                    + $"{Environment.ProcessId} {version} {stage.Method}\n"));
    }

    public void Write(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        lock (_file)
        {
            _file.Write(bytes);
        }
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>Records refused reports and warnings of unknown commands, by the events of the log.</summary>
internal sealed class LoggedEvents(WitnessFile file) : ILoggerProvider, ILogger
{
    private const int Superseded = 203;
    private const int CommandUnknown = 313;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        switch (eventId.Id)
        {
            case Superseded:
                file.Write("refused\n");
                break;
            case CommandUnknown:
                file.Write("unknown\n");
                break;
        }
    }

    public void Dispose()
    {
    }
}
