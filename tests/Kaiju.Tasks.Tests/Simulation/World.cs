using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>One store, the processes around it, and the faults between them.</summary>
internal sealed class World
{
    public const int Managers = 3;
    public const int Executors = 4;

    private static readonly DateTimeOffset _start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    private readonly SimulatedProcess[] _processes = new SimulatedProcess[Managers + Executors];
    private readonly int[] _starts = new int[Managers + Executors];
    private readonly bool[] _isDeployed = new bool[Executors];
    private readonly bool _hasBroker;

    public World(int seed, LifecycleFunction rules, RoutingFunctions? routing = null, bool keepsWatch = true)
    {
        KeepsWatch = keepsWatch;
        Agenda = new Agenda(seed, _start);
        Story = new Story(Agenda);
        Ids = new SeededIds(Agenda.Random);
        Options = new KaijuTasksOptions
        {
            Capacity = 1 + Agenda.Random.Next(4),
            PingInterval = TimeSpan.FromSeconds(5 * (1 + Agenda.Random.Next(6))),
            MaxInterruptions = 2 + Agenda.Random.Next(4),
            ManagerBatch = 1 + Agenda.Random.Next(30),
            StopTimeout = TimeSpan.FromSeconds(Agenda.Random.Next(20)),
            MaxFaultDelay = TimeSpan.FromSeconds(10),
            SerializerOptions = _serializing,
            StackTraces = false,
            MissedRuns = Agenda.Random.Next(4) switch
            {
                0 => MissedRuns.Skip,
                1 => MissedRuns.RunLatest,
                _ => MissedRuns.RunOnce,
            },
        };
        Outages = new Outages(Agenda, Options.Rules.ExecutorLifetime, Story);
        Rates = Outages.IsAllThereIs ? FaultRates.None : FaultRates.Draw(Agenda);
        FailureRate = Agenda.Random.NextDouble() * 0.3;
        _hasBroker = Agenda.Chance(0.4);
        Checker = new Checker(Agenda, Story, Options, Outages);
        Store = new MemoryTaskStore(
            new SimulatedClock(Agenda, null, TimeSpan.Zero), Options.Rules, Ids, Checker.Watch(rules), routing);
        Definitions = new TaskDefinitionChecker(Options, Specials, Ids);
    }

    private static readonly System.Text.Json.JsonSerializerOptions _serializing = new(
        System.Text.Json.JsonSerializerDefaults.Web);

    public Agenda Agenda { get; }

    public Story Story { get; }

    public Checker Checker { get; }

    public IdSource Ids { get; }

    public KaijuTasksOptions Options { get; }

    public SpecialCommandRegistry Specials { get; } = new([new TimerSpecialCommand(), new MessageSpecialCommand()]);

    public TaskDefinitionChecker Definitions { get; }

    public MemoryTaskStore Store { get; }

    public List<string> BrokerEntries { get; } = [];

    public FaultRates Rates { get; private set; }

    /// <summary>The store's outages.</summary>
    public Outages Outages { get; }

    /// <summary>False: managers expel without checking for gaps, to prove that the checker notices.</summary>
    public bool KeepsWatch { get; }

    public double FailureRate { get; private set; }

    /// <summary>True when the new version runs everywhere.</summary>
    public bool IsDeployed => _processes.OfType<ExecutorProcess>().All(process => process.Program.Version == 2);

    /// <summary>The options for a process with data of its own.</summary>
    public KaijuTasksOptions NewOptions(IReadOnlyDictionary<string, string> data)
    {
        var options = new KaijuTasksOptions
        {
            Capacity = Options.Capacity,
            PingInterval = Options.PingInterval,
            MaxInterruptions = Options.MaxInterruptions,
            ManagerBatch = Options.ManagerBatch,
            StopTimeout = Options.StopTimeout,
            MaxFaultDelay = Options.MaxFaultDelay,
            SerializerOptions = Options.SerializerOptions,
            StackTraces = Options.StackTraces,
            MissedRuns = Options.MissedRuns,
            MissedRunTolerance = Options.MissedRunTolerance,
        };
        foreach (var (key, value) in data)
        {
            options.ExecutorData.Add(key, value);
        }

        return options;
    }

    public ITaskQueue QueueFor(WitnessedStore store) =>
        _hasBroker ? new BrokerQueue(this, store) : new StoreQueue(Store, store);

    public void Start()
    {
        Story.Tell(
            "world",
            $"capacity {Options.Capacity}, a ping every {Options.PingInterval.TotalSeconds} s, "
                + $"{(_hasBroker ? "a broker" : "no broker")}, {Rates}");
        // A deployment stops processes, so there is none where outages are the only fault.
        Array.Fill(_isDeployed, Outages.IsAllThereIs);
        for (var place = 0; place < _processes.Length; place++)
        {
            StartAt(place);
        }

        Agenda.Add(Agenda.Between(5, 40), null, Disturb);
        Agenda.Add(Agenda.Between(60, 450), null, Deploy);
        Outages.Start();
    }

    /// <summary>Ends all faults; frozen and dead processes return.</summary>
    public void CalmDown()
    {
        Rates = FaultRates.None;
        FailureRate = 0;
        Outages.End();
        Checker.BeginQuiet();
        Story.Tell("world", $"is quiet from now on");
    }

    /// <summary>Starts a new process in place of a dead one.</summary>
    public void Replace(SimulatedProcess dead)
    {
        if (dead is ExecutorProcess)
        {
            Checker.Interruptions++;
        }

        var place = Array.IndexOf(_processes, dead);
        Agenda.Add(Agenda.Between(1, 30), null, () => StartAt(place));
    }

    private void StartAt(int place)
    {
        var start = ++_starts[place];
        _processes[place] = place < Managers
            ? new ManagerProcess(this, $"manager {place + 1}.{start}")
            : NewExecutor(place - Managers, start);
        _processes[place].Start();
    }

    private ExecutorProcess NewExecutor(int place, int start) =>
        new(this, $"executor {place + 1}.{start}", new ProgramVersion(_isDeployed[place] ? 2 : 1, place));

    /// <summary>Replaces the executors by those of the new version, one after another.</summary>
    private void Deploy()
    {
        var place = Array.IndexOf(_isDeployed, value: false);
        if (place < 0)
        {
            return;
        }

        var process = _processes[Managers + place];
        if (process.FrozenUntil <= Agenda.Now)
        {
            Story.Tell("world", $"deploys executor {place + 1}");
            _isDeployed[place] = true;
            if (Agenda.Chance(0.25))
            {
                process.Die("is killed");
            }
            else if (!process.IsDead)
            {
                process.Stop();
            }
        }

        Agenda.Add(Agenda.Between(5, 60), null, Deploy);
    }

    private void Disturb()
    {
        if (Rates == FaultRates.None)
        {
            return;
        }

        var process = _processes[Agenda.Random.Next(_processes.Length)];
        if (!process.IsDead && process.FrozenUntil <= Agenda.Now)
        {
            switch (Agenda.Random.Next(3))
            {
                case 0:
                    Checker.Interruptions += process is ExecutorProcess ? 1 : 0;
                    process.Freeze(Agenda.Between(2, 2.5 * Options.Rules.ExecutorLifetime.TotalSeconds));
                    break;
                case 1:
                    process.Die("is killed");
                    break;
                default:
                    process.Stop();
                    break;
            }
        }

        Agenda.Add(Agenda.Between(5, 50), null, Disturb);
    }

    private sealed class SeededIds(Random random) : IdSource
    {
        public override Guid NewId()
        {
            Span<byte> bytes = stackalloc byte[16];
            random.NextBytes(bytes);
            return new Guid(bytes);
        }
    }
}
