namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// Everything that is going to happen, in the order of its time; what is due at the same time comes in an order that
/// the seed decides. All of it happens on one thread, and time passes only from one step to the next.
/// </summary>
internal sealed class Agenda(int seed, DateTimeOffset start)
{
    private readonly PriorityQueue<Step, (long At, int Turn, long Number)> _steps = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _number;

    /// <summary>The one source of chance.</summary>
    public Random Random { get; } = new(seed);

    /// <summary>The true time, which is the store's.</summary>
    public DateTimeOffset Now { get; private set; } = start;

    /// <summary>Where something left the thread; null as long as nothing has.</summary>
    public string? LeftThread { get; private set; }

    /// <summary>
    /// Adds a step. One of a process that is frozen then happens when it thaws, one of a process that is dead never.
    /// </summary>
    public void Add(TimeSpan after, SimulatedProcess? owner, Action act) => Add(Now + after, new Step(owner, act));

    /// <summary>Lets the next step happen; false if there is none until then.</summary>
    public bool RunNext(DateTimeOffset until)
    {
        if (!_steps.TryPeek(out _, out var place) || place.At > until.UtcTicks)
        {
            Now = until;
            return false;
        }

        var step = _steps.Dequeue();
        if (step.Owner is { IsDead: true })
        {
            return true;
        }

        Now = new DateTimeOffset(place.At, TimeSpan.Zero);
        if (step.Owner is { } owner && owner.FrozenUntil > Now)
        {
            Add(owner.FrozenUntil, step);
            return true;
        }

        step.Act();
        return true;
    }

    public bool Chance(double share) => share > 0 && Random.NextDouble() < share;

    public TimeSpan Between(double seconds, double most) =>
        TimeSpan.FromMilliseconds(Math.Round(1000 * (seconds + (Random.NextDouble() * (most - seconds)))));

    /// <summary>
    /// The thread pool has its own order of things: what gets onto it would make the story another one each time.
    /// </summary>
    public void StayOnThread()
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            LeftThread ??= Environment.StackTrace;
            throw new InvalidOperationException("Something has left the simulation's thread.");
        }
    }

    private void Add(DateTimeOffset at, Step step)
    {
        StayOnThread();
        _steps.Enqueue(step, (at.UtcTicks, Random.Next(), _number++));
    }

    private readonly record struct Step(SimulatedProcess? Owner, Action Act);
}
