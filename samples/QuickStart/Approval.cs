using Spectre.Console;

namespace QuickStart;

/// <summary>The message that the task waits for.</summary>
internal sealed record Answer(bool Approved, string By);

/// <summary>Gets the answer from the command line or the keyboard; without a terminal it approves.</summary>
internal sealed class Approval(Arguments arguments, Screen screen)
{
    private bool _asked;

    /// <summary>The answer; null while it is open. Does not wait.</summary>
    public Answer? Read()
    {
        if (arguments.Approve)
        {
            return new Answer(true, "--approve");
        }

        if (Console.IsInputRedirected)
        {
            screen.Say("There is no terminal to ask at, so the report is approved.");
            return new Answer(true, "no one (no terminal)");
        }

        if (!_asked)
        {
            _asked = true;
            Forget();
            screen.Say(
                File.Exists("report.md") ? "Replace report.md? [Y/n]" : "Write report.md? [Y/n]",
                new Style(Color.Yellow, decoration: Decoration.Bold));
        }

        var answer = Console.KeyAvailable ? OfKey(Console.ReadKey(intercept: true)) : null;
        if (answer is { Approved: false })
        {
            screen.Say("Refused: the report is left out.");
        }

        return answer;
    }

    private static Answer? OfKey(ConsoleKeyInfo key) => key switch
    {
        { Key: ConsoleKey.Enter } or { KeyChar: 'y' or 'Y' } => new Answer(true, "you"),
        { Key: ConsoleKey.Escape } or { KeyChar: 'n' or 'N' } => new Answer(false, "you"),
        _ => null,
    };

    // A key that was pressed before the question does not answer it.
    private static void Forget()
    {
        while (Console.KeyAvailable)
        {
            Console.ReadKey(intercept: true);
        }
    }
}
