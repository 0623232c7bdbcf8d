using System.Diagnostics;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>This program again, in a process of its own.</summary>
internal static class Children
{
    /// <summary>Starts it.</summary>
    /// <param name="words">Its command and arguments.</param>
    /// <param name="isHasty">
    /// It is compiled as hosts are by default, hastily first, which begins sooner and is slower for a while.
    /// </param>
    /// <param name="program">The program of another state of the code; null for this one.</param>
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
