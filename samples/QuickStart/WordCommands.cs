using System.Globalization;
using System.Text;
using Kaiju.Tasks;

namespace QuickStart;

/// <summary>
/// The handlers: ordinary methods. Their return values are recorded as results and never computed again.
/// </summary>
internal sealed class WordCommands(Screen screen)
{
    private const int MostFiles = 2000;
    private const int MostListed = 20;

    private static readonly HashSet<string> _text = new(StringComparer.OrdinalIgnoreCase)
    {
        ".adoc",
        ".c",
        ".cpp",
        ".cs",
        ".css",
        ".csv",
        ".fs",
        ".go",
        ".h",
        ".htm",
        ".html",
        ".java",
        ".js",
        ".json",
        ".md",
        ".py",
        ".rb",
        ".rs",
        ".rst",
        ".sh",
        ".sql",
        ".tex",
        ".toml",
        ".ts",
        ".txt",
        ".vb",
        ".xml",
        ".yaml",
        ".yml",
    };

    [Command("words.find")]
    public Found Find(string folder, CancellationToken cancellationToken)
    {
        var all = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.Hidden | FileAttributes.ReparsePoint,
        };
        var files = new List<string>();
        var others = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var file in Directory.EnumerateFiles(folder, "*", all))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var extension = Path.GetExtension(file);
            if (!_text.Contains(extension))
            {
                var kind = extension.Length > 0 ? extension : "no extension";
                others[kind] = others.GetValueOrDefault(kind) + 1;
            }
            else if (files.Count < MostFiles)
            {
                files.Add(Path.GetRelativePath(folder, file).Replace('\\', '/'));
            }
            else
            {
                screen.Say($"There are more than {MostFiles} text files; only these are counted.");
                break;
            }
        }

        if (others.Count > 0)
        {
            var kinds = others.OrderByDescending(kind => kind.Value).ThenBy(kind => kind.Key, StringComparer.Ordinal)
                .Take(5).Select(kind => $"{kind.Value} {kind.Key}");
            screen.Say($"Skipped, by extension: {string.Join(", ", kinds)}{(others.Count > 5 ? ", …" : "")}");
        }

        files.Sort(StringComparer.Ordinal);
        return new Found(files, others.Values.Sum());
    }

    [Command("words.count")]
    public async Task<Counted> CountAsync(
        string folder, string[] files, StageContext stage, CancellationToken cancellationToken)
    {
        if (stage.Attempt == 1)
        {
            screen.Say(
                $"{stage.Method} fails its first attempt on purpose; "
                + "the task retries this stage and keeps earlier results.");
            throw new IOException("The disk does not answer.");
        }

        var counts = new List<FileWords>();
        var passedOver = new List<string>();
        foreach (var file in files)
        {
            if (await CountFileAsync(Path.Combine(folder, file), cancellationToken) is { } words)
            {
                counts.Add(new FileWords(file, words));
            }
            else
            {
                passedOver.Add(file);
            }
        }

        if (passedOver.Count > 0)
        {
            screen.Say(
                $"Skipped, binary or not readable: "
                    + $"{string.Join(", ", passedOver.Take(5))}{(passedOver.Count > 5 ? ", …" : "")}");
        }

        var largest = counts.OrderByDescending(count => count.Words).Take(MostListed).ToList();
        return new Counted(counts.Count, counts.Sum(count => count.Words), largest, passedOver.Count, stage.Attempt);
    }

    [Command("words.warn")]
    public string Warn(long words, long limit)
    {
        var warning = string.Create(CultureInfo.InvariantCulture, $"{words:N0} words, more than {limit:N0}");
        screen.Say($"Huge: {warning}.");
        return warning;
    }

    [Command("report.write")]
    public static async Task<Written> WriteReportAsync(
        string path, string title, FileWords[] largest, string by, CancellationToken cancellationToken)
    {
        var report = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"# {title}").AppendLine();
        report.AppendLine(CultureInfo.InvariantCulture, $"Approved by {by}.").AppendLine()
            .AppendLine("| words | file |").AppendLine("| ---: | --- |");
        foreach (var (file, words) in largest)
        {
            report.AppendLine(
                CultureInfo.InvariantCulture, $"| {words:N0} | {file.Replace("|", "\\|", StringComparison.Ordinal)} |");
        }

        // A stage runs at least once: a second run writes the same file again.
        await File.WriteAllTextAsync(path, report.ToString(), cancellationToken);
        return new Written(Path.GetFileName(path), report.Length);
    }

    /// <summary>The number of words of a file; null if it cannot be read or is not text.</summary>
    private static async Task<long?> CountFileAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var reader = new StreamReader(path);
            var buffer = new char[16 * 1024];
            var (words, inside) = (0L, false);
            while (await reader.ReadAsync(buffer, cancellationToken) is > 0 and var length)
            {
                foreach (var c in buffer.AsSpan(0, length))
                {
                    if (c == '\0')
                    {
                        return null;
                    }

                    var isWord = !char.IsWhiteSpace(c);
                    words += isWord && !inside ? 1 : 0;
                    inside = isWord;
                }
            }

            return words;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>The result of <c>words.find</c>.</summary>
internal sealed record Found(IReadOnlyList<string> Files, int PassedOver);

/// <summary>The result of <c>words.count</c>; only the largest files by name.</summary>
internal sealed record Counted(int Files, long Words, IReadOnlyList<FileWords> Largest, int PassedOver, int Attempt);

/// <summary>A file and its words.</summary>
internal sealed record FileWords(string File, long Words);

/// <summary>The result of <c>report.write</c>.</summary>
internal sealed record Written(string File, int Characters);
