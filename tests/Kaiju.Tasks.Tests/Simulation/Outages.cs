namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// The times at which the store is away from all processes, each longer than an executor's lifetime. In some lives this
/// is the only fault, and then nothing may be lost.
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

    /// <summary>This is the only kind of fault.</summary>
    public bool IsAllThereIs { get; }

    /// <summary>The start of the last outage; before the start of the simulation if there was none yet.</summary>
    public DateTimeOffset From { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>The end of the last outage.</summary>
    public DateTimeOffset Until { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>The delay of a call that is made now; zero while the store is there.</summary>
    public TimeSpan Left => Until > _agenda.Now ? Until - _agenda.Now : TimeSpan.Zero;

    public void Start()
    {
        if (_happen)
        {
            _agenda.Add(_agenda.Between(20, 200), null, Begin);
        }
    }

    /// <summary>Ends further outages; a current one lasts to its end.</summary>
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
