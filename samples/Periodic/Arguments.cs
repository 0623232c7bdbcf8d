using System.Globalization;

namespace Periodic;

/// <summary>The arguments of the command line.</summary>
internal sealed record Arguments(TimeSpan Length)
{
    private const int DefaultSeconds = 22;
    private const int MostSeconds = 3600;

    private const string Help = """
        Periodic shows tasks that run again and again: overlap, retries, a cancelled run, a task that is restarted.

        usage: dotnet run --project samples/Periodic [-- [--seconds N] [--help]]

          --seconds N  how long it runs, 1 to 3600; default 22. By second 12 everything has happened once
          --help       shows this

        Exit codes: 0 the time is over, 2 wrong arguments, 130 stopped with Ctrl-C.
        """;

    /// <summary>
    /// Reads the arguments. Returns an exit code if the program has to end at once, else null.
    /// </summary>
    public static int? Read(string[] args, out Arguments arguments)
    {
        arguments = new Arguments(TimeSpan.FromSeconds(DefaultSeconds));
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--help" or "-h":
                    Console.WriteLine(Help);
                    return 0;

                case "--seconds":
                    if (i + 1 == args.Length
                        || !int.TryParse(args[++i], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                        || seconds is < 1 or > MostSeconds)
                    {
                        return Fault($"--seconds needs a whole number from 1 to {MostSeconds}.");
                    }

                    arguments = new Arguments(TimeSpan.FromSeconds(seconds));
                    break;

                default:
                    return Fault($"There is no option \"{args[i]}\".");
            }
        }

        return null;
    }

    private static int Fault(string message)
    {
        Console.Error.WriteLine($"{message} --help shows what there is.");
        return 2;
    }
}
