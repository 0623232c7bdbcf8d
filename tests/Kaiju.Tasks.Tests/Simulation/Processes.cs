using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>A process with a manager that ticks now and then.</summary>
internal sealed class ManagerProcess(World world, string name) : SimulatedProcess(world, name)
{
    public override void Start()
    {
        var witness = new WitnessedStore(World.Store, World.Checker, Name);
        ITaskStore store = new DistantStore(witness, Network);
        var manager = new TaskManager(
            World.KeepsWatch ? store : new UnwatchedStore(store),
            new DistantQueue(World.QueueFor(witness), Network),
            World.Options,
            new StoreOutages(Clock, World.Options, new EngineLog<StoreOutages>(World.Checker)),
            new EngineLog<TaskManager>(World.Checker));
        Run(async () =>
        {
            while (true)
            {
                await PauseAsync(Agenda.Between(0.5, 4));
                await manager.TickAsync(default);
            }
        });
        var outages = new StoreOutages(Clock, World.Options, new EngineLog<StoreOutages>(World.Checker));
        var holds = new HoldLoop(store, Clock, World.Options, outages, new EngineLog<HoldLoop>(World.Checker));
        Run(async () =>
        {
            while (true)
            {
                await PauseAsync(World.Options.PollInterval);
                try
                {
                    await holds.RepairAsync(default);
                }
                catch (IOException)
                {
                    // The loop logs it and tries again.
                }
            }
        });
        Run(async () =>
        {
            while (true)
            {
                await PauseAsync(World.Options.PingInterval / 3);
                try
                {
                    await manager.WatchAsync(default);
                }
                catch (IOException)
                {
                    // The loop logs it and tries again.
                }
            }
        });
    }

    /// <summary>A store that reports no gaps.</summary>
    private sealed class UnwatchedStore(ITaskStore inner) : DecoratedStore(inner)
    {
        public override async ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken)
        {
            var seen = await base.WatchAsync(cancellationToken);
            return new WatchAnswer(seen.Now, DateTimeOffset.MinValue, seen.FirstPing);
        }
    }
}

/// <summary>A process with an executor, driven as its loops drive it.</summary>
internal sealed class ExecutorProcess(World world, string name, ProgramVersion program)
    : SimulatedProcess(world, name)
{
    private static readonly IServiceScopeFactory _scopes = new ServiceCollection()
        .BuildServiceProvider().GetRequiredService<IServiceScopeFactory>();

    private readonly TaskCompletionSource _claimingEnded = new();
    private readonly TaskCompletionSource _beatingEnded = new();
    private TaskExecutor _executor = null!;
    private bool _claims = true;
    private bool _beats = true;

    public ProgramVersion Program => program;

    public override void Start()
    {
        _executor = NewExecutor();
        World.Checker.Routing.Started(_executor.Info.Id, program);
        World.Story.Tell(
            Name,
            $"starts as executor {Story.Short(_executor.Info.Id)} of version {program.Version}, its clock off by "
                + $"{(Clock.GetUtcNow() - Agenda.Now).TotalSeconds} s");
        Run(ClaimAsync);
        Run(BeatAsync);
    }

    private TaskExecutor NewExecutor()
    {
        var witness = new WitnessedStore(World.Store, World.Checker, Name);
        var offload = new SimulatedOffload(this);
        var options = World.NewOptions(program.Data);
        var services = new RegisteredServices(new ServiceCollection(), _scopes.CreateScope().ServiceProvider);
        var catalog = new CommandCatalog(
            new SimulatedCommands(World, this).Register(), new BindingHost(services, World.Options.SerializerOptions));
        var stages = new StageRunner(
            catalog,
            World.Specials,
            [],
            _scopes,
            new HostEnd(_scopes),
            Clock,
            offload,
            options,
            new EngineLog<TaskExecutor>(World.Checker));
        return new TaskExecutor(
            new DistantStore(witness, Network),
            new DistantQueue(World.QueueFor(witness), Network),
            stages,
            Clock,
            World.Ids,
            offload,
            options,
            new StoreOutages(Clock, World.Options, new EngineLog<StoreOutages>(World.Checker)),
            new EngineLog<TaskExecutor>(World.Checker));
    }

    /// <summary>
    /// Stops as the host does: no more claims, then the work, then the heartbeats, then the release of the remaining
    /// tasks.
    /// </summary>
    public override void Stop() => Run(async () =>
    {
        if (!_claims)
        {
            return;
        }

        if (HasLostReport)
        {
            Die("is killed");
            return;
        }

        World.Story.Tell(Name, $"stops");
        World.Checker.Stopping.Add(_executor.Info.Id);
        Network.Reliable = nameof(ITaskStore.RecordAsync);
        _claims = false;
        _executor.BeginStop();
        await _claimingEnded.Task;
        await _executor.DrainAsync(World.Options.StopTimeout, default);
        _beats = false;
        await _beatingEnded.Task;
        await _executor.GiveBackAsync();
        Die("has stopped");
    });

    private async Task ClaimAsync()
    {
        while (_claims)
        {
            try
            {
                await _executor.Claimer.ClaimAsync(default);
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                // The loop logs it and tries again.
            }

            await PauseAsync(Agenda.Between(0.2, 2.5));
        }

        _claimingEnded.SetResult();
    }

    private async Task BeatAsync()
    {
        long? pinged = null;
        while (_beats)
        {
            try
            {
                if (pinged is { } last && Clock.GetElapsedTime(last) < World.Options.PingInterval)
                {
                    await _executor.CheckClaimsAsync(default);
                }
                else
                {
                    var now = Clock.GetTimestamp();
                    await _executor.HeartbeatAsync(default);
                    pinged = now;
                    await _executor.GiveBackStraysAsync(default);
                }
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                // The loop logs it and tries again.
            }

            await PauseAsync(Agenda.Between(0.7, 1.5));
        }

        _beatingEnded.SetResult();
    }
}
