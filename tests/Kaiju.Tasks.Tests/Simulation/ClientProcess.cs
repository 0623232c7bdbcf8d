using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// A client that creates tasks and steers them. It repeats calls whose answers are lost, and repeats others at random.
/// </summary>
internal sealed class ClientProcess(World world) : SimulatedProcess(world, "client")
{
    private static readonly string[] _paused =
        [SimulatedCommands.Work, SimulatedCommands.Even, SimulatedCommands.Added, TimerCommand.MethodName];

    private readonly List<string> _created = [];
    private DistantStore _store = null!;
    private int _messages;

    /// <summary>No call is begun after this time.</summary>
    public DateTimeOffset Until { get; init; }

    // The client never dies: its faults are those of single calls.
    public override bool IsMortal => false;

    /// <summary>True when every planned task is created.</summary>
    public bool HasCreatedAll { get; private set; }

    /// <summary>True when every pause is lifted for good.</summary>
    public bool HasLiftedAll { get; private set; }

    public override void Start()
    {
        _store = new DistantStore(new WitnessedStore(World.Store, World.Checker, Name), Network);
        Run(CreateAsync);
        Run(SteerAsync);
        Run(PauseAndResumeAsync);
    }

    private async Task PauseAndResumeAsync()
    {
        (string? App, string? Method)[] routes =
        [
            (World.Options.AppName, null),
            (World.Options.AppName, SimulatedCommands.Work),
            .. _paused.Select(method => ((string?)null, (string?)method)),
        ];
        while (Agenda.Now < Until)
        {
            await PauseAsync(Agenda.Between(5, 60));
            var (app, method) = routes[Agenda.Random.Next(routes.Length)];
            var until = Agenda.Now + Agenda.Between(0, 40);
            var pause = new TaskPause { AppName = app, Method = method, Until = Agenda.Chance(0.7) ? until : null };
            var isPause = Agenda.Chance(0.5);
            World.Story.Tell(Name, $"{(isPause ? "pauses" : "resumes")} {method ?? "all"} of {app ?? "all apps"}");
            await UntilAnsweredAsync(async () => isPause
                ? await _store.PauseAsync(pause, CallContext.Empty, default)
                : await _store.ResumeAsync(app, method, CallContext.Empty, default));
        }

        foreach (var (app, method) in routes)
        {
            await UntilAnsweredAsync(async () => await _store.ResumeAsync(app, method, CallContext.Empty, default));
        }

        HasLiftedAll = true;
    }

    private async Task CreateAsync()
    {
        foreach (var definition in new Workload(Agenda).Draw())
        {
            if (Agenda.Chance(0.6))
            {
                await PauseAsync(Agenda.Between(0, 45));
            }

            var prepared = World.Definitions.Prepare(definition);
            var answer = await UntilAnsweredAsync(
                async () => (await _store.CreateAsync([prepared], OnConflict.Skip, CallContext.Empty, default))[0]);
            _created.Add(answer.TaskId);
            World.Checker.Acknowledged(answer.TaskId);
        }

        HasCreatedAll = true;
    }

    private async Task SteerAsync()
    {
        while (Agenda.Now < Until)
        {
            await PauseAsync(Agenda.Between(1, 12));
            if (_created.Count == 0)
            {
                continue;
            }

            var id = _created[Agenda.Random.Next(_created.Count)];
            await UntilAnsweredAsync(() => ActAsync(id));
        }
    }

    private async Task<bool> ActAsync(string id)
    {
        switch (Agenda.Random.Next(20))
        {
            case 0 or 1:
                return await _store.CancelAsync(id, CallContext.Empty, default);
            case 2 or 3:
                return await _store.ResetAsync(id, CallContext.Empty, default);
            case 4 when Agenda.Chance(0.3):
                return await _store.DeleteAsync(id, CallContext.Empty, default);
            default:
                return await SendAsync(WaitingOr(id));
        }
    }

    private async Task<bool> SendAsync(string id)
    {
        var message = JsonElement.Parse(string.Create(CultureInfo.InvariantCulture, $"\"message {_messages++}\""));
        var isTaken = await _store.SendMessageAsync(id, message, CallContext.Empty, default);
        return Agenda.Chance(0.3) ? await _store.SendMessageAsync(id, message, CallContext.Empty, default) : isTaken;
    }

    // Most messages go to a waiting task, or too few of them would be received.
    private string WaitingOr(string id) =>
        World.Checker.Tasks.Values.FirstOrDefault(
            task => task.State.State == TaskState.Waiting && !task.IsDeleted && Agenda.Chance(0.4))?.Id ?? id;

    private async Task<T> UntilAnsweredAsync<T>(Func<Task<T>> ask)
    {
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (IOException)
            {
                await PauseAsync(Agenda.Between(0.1, 2));
            }
        }
    }
}
