using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;
using Quartz;
using Quartz.Impl;

namespace Kaiju.Tasks.Benchmarks.Subjects;

/// <summary>A job of Quartz's: its number is in its trigger.</summary>
internal sealed class QuartzJob : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        Meter.Hit(int.Parse(context.Trigger.JobDataMap.GetString("id")!, CultureInfo.InvariantCulture));
        return default;
    }
}

/// <summary>
/// Quartz, with its cheapest one-off job: one durable job, and for each job a trigger that fires now.
/// </summary>
internal sealed class QuartzEngine(string kind, SubjectSettings settings) : Subject
{
    private const int Concurrency = 16;
    private static readonly JobKey _key = new("noop", "bench");
    private static readonly TimeSpan _misfire = TimeSpan.FromHours(1);

    private IScheduler? _scheduler;
    private IJobDetail? _job;
    private NpgsqlDataSource? _source;

    public override string Description =>
        string.Create(
            CultureInfo.InvariantCulture, $"MaxConcurrency={Concurrency}, misfire threshold {_misfire.TotalHours} h")
        + (kind switch
        {
            "postgresql" => ", clustered, IdleWaitTime=1 s, job data as strings",
            "sqlite" => ", WAL, synchronous=FULL, job data as strings",
            _ => ", otherwise the defaults",
        });

    public override bool HasBulk => true;

    public override async Task OpenAsync()
    {
        if (kind == "sqlite")
        {
            await using var connection = new SqliteConnection($"Data Source={settings.Store}");
            await connection.OpenAsync();
            await using var command = new SqliteCommand("pragma journal_mode = wal", connection);
            await command.ExecuteScalarAsync();
        }

        var builder = QuartzSchedulerBuilder.Create(quartz =>
        {
            quartz.UseDefaultThreadPool(Concurrency);
            quartz.ConfigureScheduler(options =>
            {
                options.InstanceName = "bench";
                if (kind == "postgresql")
                {
                    (options.GenerateInstanceId, options.IdleWaitTime) = (true, TimeSpan.FromSeconds(1));
                }
            });
            if (kind == "memory")
            {
                quartz.UseInMemoryStore(options => options.MisfireThreshold = _misfire);
                return;
            }

            quartz.UsePersistentStore(store =>
            {
                if (kind == "postgresql")
                {
                    store.UsePostgres(settings.Store);
                    store.UseClustering();
                }
                else
                {
                    store.UseSqlite($"Data Source={settings.Store}");
                }

                store.ConfigureStore(
                    options => (options.MisfireThreshold, options.StoreJobDataAsStrings) = (_misfire, true));
                store.ProvisionSchema();
            });
        });
        _scheduler = await builder.BuildScheduler();
        _job = JobBuilder.Create<QuartzJob>().WithIdentity(_key).StoreDurably().Build();
        if (kind == "postgresql")
        {
            _source = NpgsqlDataSource.Create($"{settings.Store};Maximum Pool Size=2");
        }

        if (kind != "memory")
        {
            // Quartz creates its tables when it starts.
            await _scheduler.Start();
            await _scheduler.Standby();
        }

        await _scheduler.AddJob(_job, AddJobOptions.Replacing);
    }

    public override async Task CreateAsync(int job) => await _scheduler!.ScheduleJob(Trigger(job));

    public override async Task CreateManyAsync(int first, int count) => await _scheduler!.ScheduleJobs(
        new Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>>
        {
            [_job!] = [.. Enumerable.Range(first, count).Select(Trigger)],
        },
        ScheduleJobOptions.Replacing);

    public override async Task StartWorkersAsync() => await _scheduler!.Start();

    public override async Task StopWorkersAsync() => await _scheduler!.Standby();

    public override async Task<long> CountLeftAsync()
    {
        switch (kind)
        {
            case "postgresql":
                await using (var command = _source!.CreateCommand(
                    "select (select count(*) from qrtz_triggers) + (select count(*) from qrtz_fired_triggers)"))
                {
                    return (long)(await command.ExecuteScalarAsync())!;
                }

            case "sqlite":
                await using (var connection = new SqliteConnection($"Data Source={settings.Store}"))
                {
                    await connection.OpenAsync();
                    await using var command = new SqliteCommand(
                        "select (select count(*) from QRTZ_TRIGGERS) + (select count(*) from QRTZ_FIRED_TRIGGERS)",
                        connection);
                    return (long)(await command.ExecuteScalarAsync())!;
                }

            default:
                return (await _scheduler!.QueryTriggers(new TriggerQuery())).Items.Count;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _scheduler!.Shutdown(false);
        if (_source is not null)
        {
            await _source.DisposeAsync();
        }
    }

    private static ITrigger Trigger(int job) => TriggerBuilder.Create()
        .ForJob(_key).WithIdentity($"t{job}", "bench").UsingJobData("id", job.ToString(CultureInfo.InvariantCulture))
            .StartNow().Build();
}
