using Kaiju.Tasks;
using Spectre.Console;

namespace QuickStart;

/// <summary>
/// Shows tasks while they run: as a picture that follows them in a terminal, as a line for each change anywhere else.
/// </summary>
internal sealed class Screen(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly List<Text> _said = [];
    private readonly Dictionary<string, (string State, int Results)> _shown = [];
    private readonly long _started = clock.GetTimestamp();
    private readonly bool _isLive = AnsiConsole.Profile.Out.IsTerminal && AnsiConsole.Profile.Capabilities.Ansi;
    private volatile bool _isFollowing;

    /// <summary>Prints a line beside the tasks. Handlers may call it too.</summary>
    public void Say(string text, Style? style = null)
    {
        lock (_lock)
        {
            if (_isLive && _isFollowing)
            {
                _said.Add(new Text(text, style));
            }
            else
            {
                Print(text);
            }
        }
    }

    /// <summary>Shows the tasks that <paramref name="body"/> passes to it, until the body ends.</summary>
    public async Task FollowAsync(Func<Action<IReadOnlyList<TaskRecord>>, Task> body)
    {
        if (!_isLive)
        {
            await body(PrintChanges);
            return;
        }

        try
        {
            _isFollowing = true;
            await AnsiConsole.Live(Text.Empty).StartAsync(live => body(tasks => live.UpdateTarget(Draw(tasks))));
        }
        finally
        {
            _isFollowing = false;
        }
    }

    private Rows Draw(IReadOnlyList<TaskRecord> tasks)
    {
        lock (_lock)
        {
            return new Rows([.. tasks.Select(Draw), .. _said]);
        }
    }

    private static Rows Draw(TaskRecord task)
    {
        var title =
            $"[bold]{Markup.Escape(task.Id)}[/]  [{Color(task.State)}]{Wording.State(task)}[/]  "
                + $"[grey]{Markup.Escape(Wording.Place(task))}[/]";
        var stages = new Grid().AddColumn(new GridColumn().Width(4)).AddColumn(new GridColumn().Width(13))
            .AddColumn(new GridColumn().Width(23)).AddColumn();
        for (var stage = 0; stage < task.Stages; stage++)
        {
            var style = stage == task.Stage && !task.HasEnded ? Style.Parse(Color(task.State)) : Style.Plain;
            stages.AddRow(
                new Text($" [{stage}]"),
                new Text(task.Definition.Commands[stage].Method),
                new Text(Wording.Stage(task, stage), style),
                new Text(Wording.Outcome(task, stage), Style.Parse("grey")) { Overflow = Overflow.Ellipsis });
        }

        return new Rows(new Markup(title), stages, Text.Empty);
    }

    private static string Color(TaskState state) => state switch
    {
        TaskState.Finished => "green",
        TaskState.Failed => "red",
        TaskState.Waiting => "yellow",
        TaskState.Executing => "blue",
        _ => "grey",
    };

    private void PrintChanges(IReadOnlyList<TaskRecord> tasks)
    {
        foreach (var task in tasks)
        {
            var (state, results) = _shown.GetValueOrDefault(task.Id);
            for (; results < task.Result.Count; results++)
            {
                Print(
                    $"{task.Id,-14} [{results}] {task.Definition.Commands[results].Method} "
                        + $"{Wording.Stage(task, results)}: {Wording.Outcome(task, results)}");
            }

            var now = $"{Wording.State(task),-9} {Wording.Place(task)}";
            if (now != state)
            {
                var doing = task.State is TaskState.Waiting or TaskState.Failed
                    ? $": {Wording.Stage(task, task.Stage)}"
                    : "";
                Print($"{task.Id,-14} {now}{doing}{(task.Error is { } error ? $" ({error.Message})" : "")}");
            }

            _shown[task.Id] = (now, results);
        }
    }

    private void Print(string text) =>
        Console.WriteLine(_isLive ? text : $"{clock.GetElapsedTime(_started).TotalSeconds,5:0.0} s  {text}");
}
