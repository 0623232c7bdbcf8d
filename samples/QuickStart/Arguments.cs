namespace QuickStart;

/// <summary>The arguments of the command line.</summary>
internal sealed record Arguments(string Folder, bool Approve, int Limit, string? Database)
{
    private const string Help = """
        QuickStart counts the words of all text files below a folder, asks, and writes report.md into the current
        folder.

        usage: dotnet run --project samples/QuickStart
                   [-- [folder] [--approve] [--limit words] [--database file] [--help]]

          folder           where to count; default: the repository's docs folder
          --approve        approves the report at once; without a terminal it is approved anyway
          --limit words    warns if there are more words than this; default 100000
          --database file  keeps the tasks in this file, and resumes those that it holds; default: a new temporary file
          --help           shows this

        Exit codes: 0 both tasks finished, 1 a task failed, 2 wrong arguments, 130 stopped with Ctrl-C.
        """;

    /// <summary>
    /// Reads the arguments. Returns an exit code if the program has to end at once, else null.
    /// </summary>
    public static int? Read(string[] args, out Arguments arguments)
    {
        arguments = new Arguments("", false, 100_000, null);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--help" or "-h":
                    Console.WriteLine(Help);
                    return 0;

                case "--approve":
                    arguments = arguments with { Approve = true };
                    break;

                case "--limit":
                    if (i + 1 == args.Length || !int.TryParse(args[++i], out var limit) || limit < 0)
                    {
                        return Fault("--limit needs a number of words, 0 or more.");
                    }

                    arguments = arguments with { Limit = limit };
                    break;

                case "--database":
                    if (i + 1 == args.Length || args[++i].Length == 0)
                    {
                        return Fault("--database needs a file; it is created if there is none.");
                    }

                    arguments = arguments with { Database = Path.GetFullPath(args[i]) };
                    break;

                case ['-', ..]:
                    return Fault($"There is no option \"{args[i]}\".");

                case var folder when arguments.Folder.Length > 0:
                    return Fault($"There can be one folder only; \"{folder}\" is a second one.");

                case var folder when !Directory.Exists(folder):
                    return Fault(
                        File.Exists(folder)
                            ? $"\"{folder}\" is a file; it must be a folder."
                            : $"There is no folder \"{folder}\".");

                case var folder:
                    arguments = arguments with { Folder = Path.GetFullPath(folder) };
                    break;
            }
        }

        if (arguments.Folder.Length == 0)
        {
            if (FindDocs() is not { } docs)
            {
                return Fault("No folder is given, and the repository's docs folder is not above the current one.");
            }

            arguments = arguments with { Folder = docs };
        }

        return null;
    }

    private static int Fault(string message)
    {
        Console.Error.WriteLine($"{message} --help shows what there is.");
        return 2;
    }

    private static string? FindDocs() => new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory }
        .SelectMany(WithParents)
        .Where(folder => File.Exists(Path.Combine(folder, "Kaiju.Tasks.sln")))
        .Select(folder => Path.Combine(folder, "docs"))
        .FirstOrDefault(Directory.Exists);

    private static IEnumerable<string> WithParents(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            yield return at.FullName;
        }
    }
}
