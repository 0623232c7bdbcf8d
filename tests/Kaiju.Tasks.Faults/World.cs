using Kaiju.Tasks.TestServers;

namespace Kaiju.Tasks.Faults;

/// <summary>One run: a database, processes, a client, harm, and at the end the checks.</summary>
internal sealed class World : IAsyncDisposable
{
    private static readonly TimeSpan _short = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _long = TimeSpan.FromMinutes(1);

    private readonly Plan _plan;
    private readonly TimeSpan _time;
    private readonly FaultDatabase _database;
    private readonly string _folder = Directory.CreateTempSubdirectory("kaiju-witness-").FullName;
    private readonly CommitProxy? _proxy;
    private readonly Crew _crew;
    private readonly Load _load;
    private readonly RunReport _report;
    private readonly NewerSchema? _newer;

    private World(FaultDatabase database, string store, string scenario, Plan plan, TimeSpan time)
    {
        (_database, _plan, _time, _report) = (database, plan, time, new RunReport(store, scenario));
        _proxy = scenario == "cut" ? new CommitProxy(database.Server!.Port) : null;
        var connectionString = _proxy is null
            ? database.ConnectionString
            : database.ConnectionStringThrough(_proxy.Port);

        // In scenarios without dead executors a busy machine must not make one look dead.
        var missedPings = scenario == "outage" ? Scenario.PatientPings : Worker.MissedPings;
        _crew = new Crew(store, connectionString, _folder, missedPings, plan.Before);
        _load = new Load(database, store, connectionString, plan.Seed, scenario, time < _short ? 100 : 600);
        _newer = scenario == "restart" ? new NewerSchema(database, _load, _report) : null;
    }

    public static async Task<World> CreateAsync(string store, string scenario, Plan plan, TimeSpan time) =>
        new(await FaultDatabase.CreateAsync(store), store, scenario, plan, time);

    public async Task<RunReport> RunAsync()
    {
        var began = TimeProvider.System.GetTimestamp();
        var isShort = _time < _short;
        _crew.Start(isShort ? 2 : 3, isShort ? 2 : 4, _report.Scenario == "deploy" ? Deployment.First : 0);
        using var stop = new CancellationTokenSource();
        var creating = _load.CreateAsync(LeastTasks(), stop.Token);

        // Harm proves something only while work is running.
        while (!IsAtWork() && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(30))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        var scenario = new Scenario(
            _report.Scenario, _crew, _database, _proxy, _newer, _load.Client, new Random(_plan.Seed), _report);
        await scenario.RunAsync(_time, LeastHarm());
        await stop.CancelAsync();
        await creating;
        _report.Faults.AddRange(_crew.Ended());
        if (await _load.FinishAsync(TimeSpan.FromSeconds(60)) is > 0 and var open)
        {
            _report.Faults.Add($"I5: {open} tasks had not ended one minute after the harm");
        }

        if (!await _crew.StopAsync())
        {
            _report.Faults.Add("a process did not stop when asked");
        }

        if (_newer is not null)
        {
            await _newer.CheckAsync();
        }

        _report.Acknowledged = _load.Acknowledged.Count;
        await new Checker(_database, _folder, _load.Acknowledged, _crew.Executors, _report).CheckAsync();
        _report.Took = TimeProvider.System.GetElapsedTime(began);
        return _report;
    }

    /// <summary>A long run has many tasks: 12,000 tasks and 120 kills in 150 s.</summary>
    private int LeastTasks() => _report.Scenario == "kill" && _time >= _long ? (int)(80 * _time.TotalSeconds) : 0;

    private int LeastHarm() => _report.Scenario switch
    {
        "kill" when _time >= _long => (int)(0.8 * _time.TotalSeconds),
        "postmaster" when _time >= _long => 20,
        "postmaster" => 2,
        "readonly" when _time >= _long => 10,
        "readonly" => 2,
        "restart" => _crew.Count,
        "held" when _time >= _long => 20,
        "held" => 2,
        "cut" when _time >= _long => 200,
        "cut" => 10,
        _ => 1,
    };

    private bool IsAtWork() => new DirectoryInfo(_folder).EnumerateFiles().Any(file => file.Length > 0);

    public async ValueTask DisposeAsync()
    {
        _crew.Dispose();
        await _load.DisposeAsync();
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
