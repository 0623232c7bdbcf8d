using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// One operating system process, played on the simulation's thread: it has a clock of its own, freezes and comes back,
/// dies at any step, and sees the store through a network that loses and repeats.
/// </summary>
internal abstract class SimulatedProcess
{
    protected SimulatedProcess(World world, string name)
    {
        (World, Name) = (world, name);
        Clock = new SimulatedClock(world.Agenda, this, world.Agenda.Between(-300, 300));
        Network = new Network(world, this);
    }

    public World World { get; }

    public string Name { get; }

    public bool IsDead { get; private set; }

    public DateTimeOffset FrozenUntil { get; private set; }

    /// <summary>It dies at some calls, and another takes its place.</summary>
    public virtual bool IsMortal => true;

    /// <summary>Wrong by up to five minutes.</summary>
    public SimulatedClock Clock { get; }

    public Network Network { get; }

    /// <summary>
    /// Some report's answer was lost. A drain would then leave the simulation's thread, so the process is killed
    /// instead.
    /// </summary>
    public bool HasLostReport { get; set; }

    protected Agenda Agenda => World.Agenda;

    public abstract void Start();

    /// <summary>Ends in good order, where the process can; else it dies.</summary>
    public virtual void Stop() => Die("is killed");

    /// <summary>Nothing of it happens any more; another one takes its place after a while.</summary>
    public void Die(string how)
    {
        if (!IsDead)
        {
            IsDead = true;
            World.Story.Tell(Name, $"{how}");
            World.Replace(this);
        }
    }

    public void Freeze(TimeSpan time)
    {
        FrozenUntil = Agenda.Now + time;
        World.Story.Tell(Name, $"freezes for {time.TotalSeconds} s");
    }

    /// <summary>Goes on as a step of its own, after a time.</summary>
    public Task PauseAsync(TimeSpan time)
    {
        var over = new TaskCompletionSource();
        Agenda.Add(time, this, over.SetResult);
        return over.Task;
    }

    /// <summary>
    /// A pause that ends with the token. Not <see cref="Task.Delay(TimeSpan, TimeProvider, CancellationToken)"/>, which
    /// goes on in the thread pool when it is cancelled.
    /// </summary>
    public async Task PauseAsync(TimeSpan time, CancellationToken token)
    {
        var over = new TaskCompletionSource();
        using var registration = token.UnsafeRegister(_ => over.TrySetCanceled(token), null);
        Agenda.Add(time, this, () => over.TrySetResult());
        await over.Task;
    }

    /// <summary>Runs a loop of the process; one that ends by a fault is the engine's fault.</summary>
    protected async void Run(Func<Task> loop)
    {
        try
        {
            await loop();
        }
        catch (Exception e)
        {
            World.Checker.Fail("engine", $"{Name}: a loop ended by {e}");
        }
    }
}

/// <summary>The engine's work on the simulation's thread: at once, or as a step of its own.</summary>
internal sealed class SimulatedOffload(SimulatedProcess process) : Offload
{
    public override async void Start(IThreadPoolWorkItem work)
    {
        await MaybeLaterAsync();
        work.Execute();
    }

    public override Task YieldAsync() => MaybeLaterAsync();

    // Always later: whoever cancels does not wait for what was registered with the token.
    public override void Cancel(CancellationTokenSource source) =>
        process.World.Agenda.Add(TimeSpan.Zero, process, source.Cancel);

    private Task MaybeLaterAsync() =>
        process.World.Agenda.Chance(0.3) ? process.PauseAsync(TimeSpan.Zero) : Task.CompletedTask;
}
