using System.Diagnostics;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>Runs this program in another process.</summary>
internal static class Children
{
    /// <summary>Starts the process.</summary>
    /// <param name="words">The command and its arguments.</param>
    /// <param name="isHasty">
    /// True for tiered compilation, the default of hosts, which starts sooner and is slower for a while.
    /// </param>
    /// <param name="program">The program of another revision; null for this one.</param>
    public static Process Start(IEnumerable<string> words, bool isHasty = false, string? program = null)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath!, [program ?? Environment.GetCommandLineArgs()[0], .. words])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        if (isHasty)
        {
            start.Environment["DOTNET_TieredCompilation"] = "1";
        }

        return Process.Start(start)!;
    }
}
