using System.Globalization;
using Hangfire;
using Hangfire.InMemory;
using Hangfire.PostgreSql;
using Npgsql;

namespace Kaiju.Tasks.Benchmarks.Subjects;

/// <summary>A job of Hangfire's: a public static method.</summary>
public static class HangfireJob
{
    /// <summary>Only reports that it has begun.</summary>
    /// <param name="id">The job's number.</param>
    public static void Run(int id) => Meter.Hit(id);
}

/// <summary>
/// Hangfire, on PostgreSQL with the settings of its best results: prepared statements and a short poll interval.
/// </summary>
internal sealed class HangfireEngine(bool isPostgreSql, SubjectSettings settings) : Subject
{
    private const int Workers = 16;
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(50);

    private BackgroundJobClient? _client;
    private BackgroundJobServer? _server;
    private NpgsqlDataSource? _source;
    private long _succeededBefore;
    private int _executedBefore;

    public override string Description => isPostgreSql
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"WorkerCount={Workers}, QueuePollInterval={_poll.TotalMilliseconds} ms, statements prepared, no reset of "
                + $"connections")
        : string.Create(CultureInfo.InvariantCulture, $"WorkerCount={Workers}, otherwise the defaults");

    public override Task OpenAsync()
    {
        var configuration = GlobalConfiguration.Configuration
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings();
        if (isPostgreSql)
        {
            configuration.UsePostgreSqlStorage(
                options => options.UseNpgsqlConnection(
                    $"{settings.Store};Max Auto Prepare=100;Auto Prepare Min Usages=2;No Reset On Close=true"),
                new PostgreSqlStorageOptions { QueuePollInterval = _poll });
            _source = NpgsqlDataSource.Create($"{settings.Store};Maximum Pool Size=2");
        }
        else
        {
            configuration.UseInMemoryStorage(new InMemoryStorageOptions());
        }

        _client = new BackgroundJobClient(JobStorage.Current);
        return Task.CompletedTask;
    }

    public override Task CreateAsync(int job)
    {
        _client!.Enqueue(() => HangfireJob.Run(job));
        return Task.CompletedTask;
    }

    public override Task StartWorkersAsync()
    {
        (_succeededBefore, _executedBefore) = (isPostgreSql ? 0 : Succeeded(), Meter.Executing);
        _server = new BackgroundJobServer(new BackgroundJobServerOptions { WorkerCount = Workers }, JobStorage.Current);
        return Task.CompletedTask;
    }

    public override Task StopWorkersAsync()
    {
        _server?.Dispose();
        _server = null;
        return Task.CompletedTask;
    }

    public override async Task<long> CountLeftAsync()
    {
        if (!isPostgreSql)
        {
            return Math.Max(0, Meter.Executing - _executedBefore - (Succeeded() - _succeededBefore));
        }

        await using var command = _source!.CreateCommand(
            "select (select count(*) from hangfire.jobqueue) + (select count(*) from hangfire.job where statename in "
                + "('Enqueued', 'Processing'))");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public override async ValueTask DisposeAsync()
    {
        _server?.Dispose();
        if (_source is not null)
        {
            await _source.DisposeAsync();
        }
    }

    private static long Succeeded() => JobStorage.Current.GetMonitoringApi().GetStatistics().Succeeded;
}
