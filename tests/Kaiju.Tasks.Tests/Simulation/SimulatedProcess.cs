using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// One operating system process, simulated on one thread: it has its own clock, freezes and thaws, dies at any step,
/// and sees the store through a network that loses and repeats calls.
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

    /// <summary>The process dies at some calls, and another takes its place.</summary>
    public virtual bool IsMortal => true;

    /// <summary>The clock, wrong by up to five minutes.</summary>
    public SimulatedClock Clock { get; }

    public Network Network { get; }

    /// <summary>
    /// The answer of a report was lost. A drain would then leave the simulation's thread, so the process is killed
    /// instead.
    /// </summary>
    public bool HasLostReport { get; set; }

    protected Agenda Agenda => World.Agenda;

    public abstract void Start();

    /// <summary>Stops the process gracefully if it can; else kills it.</summary>
    public virtual void Stop() => Die("is killed");

    /// <summary>Drops all its steps; another process takes its place after a while.</summary>
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

    /// <summary>Continues as a step of its own, after a delay.</summary>
    public Task PauseAsync(TimeSpan time)
    {
        var over = new TaskCompletionSource();
        Agenda.Add(time, this, over.SetResult);
        return over.Task;
    }

    /// <summary>
    /// A pause that ends with the token. <see cref="Task.Delay(TimeSpan, TimeProvider, CancellationToken)"/> is not
    /// used: it continues in the thread pool when it is cancelled.
    /// </summary>
    public async Task PauseAsync(TimeSpan time, CancellationToken token)
    {
        var over = new TaskCompletionSource();
        using var registration = token.UnsafeRegister(_ => over.TrySetCanceled(token), null);
        Agenda.Add(time, this, () => over.TrySetResult());
        await over.Task;
    }

    /// <summary>Runs a loop of the process; a loop that throws is a fault of the engine.</summary>
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

    // Always later: the canceller does not wait for the callbacks registered with the token.
    public override void Cancel(CancellationTokenSource source) =>
        process.World.Agenda.Add(TimeSpan.Zero, process, source.Cancel);

    private Task MaybeLaterAsync() =>
        process.World.Agenda.Chance(0.3) ? process.PauseAsync(TimeSpan.Zero) : Task.CompletedTask;
}
