using System.Diagnostics;
using Kaiju.Tasks.Relational;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>The README's sample, killed in the middle.</summary>
public sealed class QuickStartTests
{
    [Fact]
    public async Task A_killed_program_resumes_at_the_first_unrecorded_stage()
    {
        using var file = new TemporaryFile();
        using (var first = Start(file))
        {
            await ReadUntilAsync(first, "[1] words.count done");
            first.Kill();
            await first.WaitForExitAsync();
        }

        using var second = Start(file);
        var said = await ReadUntilAsync(second, "words-summary  FINISHED");
        await second.WaitForExitAsync();

        second.ExitCode.Should().Be(0);
        said.Should().Contain(line => line.Contains("Resuming the tasks in", StringComparison.Ordinal));
        said.Should().NotContain(
            line => line.Contains("fails its first attempt", StringComparison.Ordinal),
            "the stage that does is recorded");
    }

    private static Process Start(TemporaryFile file)
    {
        var program = Path.Combine(
            Repository.Root, "samples", "QuickStart", "bin", Repository.Configuration, "net10.0", "QuickStart.dll");
        var start = new ProcessStartInfo(
            "dotnet", [program, Path.Combine(Repository.Root, "docs"), "--database", file.Path])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetDirectoryName(file.Path),
        };
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static async Task<List<string>> ReadUntilAsync(Process process, string text)
    {
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) is { } line)
        {
            lines.Add(line);
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return lines;
            }
        }

        throw new InvalidOperationException(
            $"The sample did not say \"{text}\":{Environment.NewLine}{string.Join(Environment.NewLine, lines)}");
    }
}
