using System.Diagnostics;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>This program again, in a process of its own.</summary>
internal static class Children
{
    public static Process Start(IEnumerable<string> words) => Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [Environment.GetCommandLineArgs()[0], .. words])
    {
        RedirectStandardOutput = true,
        RedirectStandardInput = true,
    })!;
}
