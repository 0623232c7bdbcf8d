namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// All future steps in the order of their times; the seed orders steps of the same time. All steps run on one thread,
/// and time passes only between steps.
/// </summary>
internal sealed class Agenda(int seed, DateTimeOffset start)
{
    private readonly PriorityQueue<Step, (long At, int Turn, long Number)> _steps = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _number;

    /// <summary>The only source of randomness.</summary>
    public Random Random { get; } = new(seed);

    /// <summary>The true time, which is the store's.</summary>
    public DateTimeOffset Now { get; private set; } = start;

    /// <summary>The stack trace of the first step that left the thread; null if none has.</summary>
    public string? LeftThread { get; private set; }

    /// <summary>
    /// Adds a step. A step of a frozen process runs when the process thaws, a step of a dead process never.
    /// </summary>
    public void Add(TimeSpan after, SimulatedProcess? owner, Action act) => Add(Now + after, new Step(owner, act));

    /// <summary>Runs the next step; false if there is none until then.</summary>
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
    /// The thread pool orders work in its own way: work that reaches it would change the events of a seed each time.
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
