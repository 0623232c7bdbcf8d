using Kaiju.Tasks;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Periodic;

/// <summary>
/// Shows tasks while they run: as a table that follows them in a terminal, as a line for each run's end anywhere else.
/// </summary>
internal sealed class Screen(Func<TimeSpan> elapsed, TimeSpan length)
{
    private const int WidthOfTheOthers = 69;

    private readonly Lock _lock = new();
    private readonly List<string> _said = [];
    private readonly Dictionary<string, (int Runs, int Retries, bool Failed)> _shown = [];
    private readonly bool _isLive = AnsiConsole.Profile.Out.IsTerminal && AnsiConsole.Profile.Capabilities.Ansi;

    /// <summary>Prints a line beside the tasks.</summary>
    public void Say(string text)
    {
        lock (_lock)
        {
            if (_isLive)
            {
                _said.Add(Timed(text));
            }
            else
            {
                Console.WriteLine(Timed(text));
            }
        }
    }

    /// <summary>Shows the tasks that <paramref name="body"/> passes to it, until the body ends.</summary>
    public Task FollowAsync(Func<Action<IReadOnlyList<TaskView>>, Task> body) =>
        _isLive
            ? AnsiConsole.Live(Text.Empty).StartAsync(live => body(views => live.UpdateTarget(Draw(views))))
            : body(PrintChanges);

    private Rows Draw(IReadOnlyList<TaskView> views)
    {
        var table = new Table().Border(TableBorder.Rounded).Title(
            $"{Math.Min(elapsed().TotalSeconds, length.TotalSeconds):0} of {length.TotalSeconds:0} s");
        table.AddColumns(
            [.. new[] { "task", "state", "next run", "last outcome" }.Select(
                title => new TableColumn(title).NoWrap())]);
        table.AddColumns(
            [.. new[] { "runs", "skipped", "retries" }.Select(
                title => new TableColumn(title).NoWrap().RightAligned())]);
        foreach (var view in views)
        {
            table.AddRow(
                new Text(view.Task.Id, new Style(decoration: Decoration.Bold)),
                new Text(Wording.State(view.Task), new Style(ColorOf(view.Task))),
                new Text(Wording.Next(view.Task)),
                new Text(Cut(Wording.LastOutcome(view), AnsiConsole.Profile.Width - WidthOfTheOthers)),
                new Text($"{view.Runs.Count}"),
                new Text($"{view.Task.Skipped}"),
                new Text($"{view.Retries}"));
        }

        lock (_lock)
        {
            return new Rows([table, .. _said.Select(IRenderable (text) => new Text(text))]);
        }
    }

    private static string Cut(string text, int most) =>
        text.Length <= most ? text : $"{text[..Math.Max(0, most - 1)]}…";

    private static Color ColorOf(TaskRecord task) => task.State switch
    {
        TaskState.Finished => Color.Green,
        TaskState.Failed => Color.Red,
        TaskState.Executing => Color.Blue,
        _ => Color.Grey,
    };

    private void PrintChanges(IReadOnlyList<TaskView> views)
    {
        foreach (var view in views)
        {
            var now = (view.Runs.Count, view.Retries, view.Task is { State: TaskState.Failed, RetryAt: not null });
            if (now != _shown.GetValueOrDefault(view.Task.Id))
            {
                var (outcome, next) = (Wording.LastOutcome(view), Wording.Next(view.Task));
                Say(
                    $"{view.Task.Id,-10} {outcome} (next: {next}; runs {view.Runs.Count}, skipped "
                        + $"{view.Task.Skipped}, retries {view.Retries})");
            }

            _shown[view.Task.Id] = now;
        }
    }

    private string Timed(string text) => $"{elapsed().TotalSeconds,5:0.0} s  {text}";
}
