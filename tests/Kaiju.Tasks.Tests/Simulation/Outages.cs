namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// When the store is away from everybody, each time for longer than an executor's lifetime. In some lives that is all
/// that goes wrong, so that nothing may be lost in them.
/// </summary>
internal sealed class Outages
{
    private readonly Agenda _agenda;
    private readonly TimeSpan _lifetime;
    private readonly Story _story;
    private readonly bool _happen;
    private bool _isOver;

    public Outages(Agenda agenda, TimeSpan lifetime, Story story)
    {
        (_agenda, _lifetime, _story) = (agenda, lifetime, story);
        _happen = agenda.Chance(0.3);
        IsAllThereIs = _happen && agenda.Chance(0.4);
    }

    /// <summary>Nothing else goes wrong.</summary>
    public bool IsAllThereIs { get; }

    /// <summary>When the last one began; before the time of the simulation if there was none yet.</summary>
    public DateTimeOffset From { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>When it ends, or has ended.</summary>
    public DateTimeOffset Until { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>How long a call is held up that is made now; zero while the store is there.</summary>
    public TimeSpan Left => Until > _agenda.Now ? Until - _agenda.Now : TimeSpan.Zero;

    public void Start()
    {
        if (_happen)
        {
            _agenda.Add(_agenda.Between(20, 200), null, Begin);
        }
    }

    /// <summary>No more of them; one that is under way goes to its end.</summary>
    public void End() => _isOver = true;

    private void Begin()
    {
        if (_isOver)
        {
            return;
        }

        var time = _lifetime * (1.1 + (_agenda.Random.NextDouble() * 1.5));
        (From, Until) = (_agenda.Now, _agenda.Now + time);
        _story.Tell("world", $"the store is away for {time.TotalSeconds} s");
        _agenda.Add(time + _agenda.Between(20, 300), null, Begin);
    }
}
