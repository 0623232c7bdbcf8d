using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Kaiju.Tasks.TestServers;

/// <summary>Programs of the system: finds them and runs them as an unprivileged user.</summary>
public static partial class Programs
{
    private const int SigQuit = 3;
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;

    // Servers refuse to run as root, so they run as the first of these users that exists.
    private static readonly string[] _users = ["postgres", "nobody"];

    // The processes that wait for the end of this one; this process keeps its end of their pipes open.
    private static readonly List<Process> _waiting = [];

    public static bool IsRoot => GetUserId() == 0;

    /// <summary>The program's path: on PATH, or in the distribution's own folder.</summary>
    public static string Find(string program, params string[] folders)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return path.Concat(folders).Where(Directory.Exists)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                $"There is no program \"{program}\" on PATH or in {string.Join(", ", folders)}. Install it; ./test.sh "
                    + $"does.");
    }

    /// <summary>Runs a program to its end, unprivileged.</summary>
    public static void Run(string program, string folder, params string[] arguments)
    {
        using var process = Start(program, folder, Path.Combine(folder, "run.log"), arguments);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"{program} ended with {process.ExitCode}: {File.ReadAllText(Path.Combine(folder, "run.log"))}");
        }
    }

    /// <summary>
    /// Starts a program, unprivileged, with its output in a file. The process is the program itself and not a shell
    /// around it.
    /// </summary>
    public static Process Start(string program, string folder, string log, params string[] arguments)
    {
        string[] command = IsRoot
            ? [
                Find("setpriv", "/usr/bin"),
                $"--reuid={User()}",
                $"--regid={User()}",
                "--clear-groups",
                program,
                .. arguments]
            : [program, .. arguments];
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", log, .. command])
        {
            WorkingDirectory = folder,
        };
        return Process.Start(start)!;
    }

    /// <summary>A folder that belongs to the unprivileged user.</summary>
    public static string NewFolder(string name)
    {
        var folder = Directory.CreateTempSubdirectory($"kaiju-{name}-").FullName;
        if (IsRoot)
        {
            using var own = Process.Start("chown", [User(), folder]);
            own.WaitForExit();
        }

        return folder;
    }

    /// <summary>
    /// Ends a program and deletes its folder when this process has ended in any way: a test process gets no time to do
    /// so itself. The waiting process notices that end by the end of a pipe.
    /// </summary>
    /// <param name="folder">The program's folder, which its command line contains.</param>
    /// <param name="pidFile">The file whose first line is the program's process id.</param>
    public static void EndAfterUs(string folder, string pidFile)
    {
        const string Script = """
            trap '' INT TERM HUP
            cat >/dev/null
            pid=$(head -n 1 "$1" 2>/dev/null)
            if [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$0"; then
                kill -QUIT "$pid"
                tries=0
                while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
                kill -KILL "$pid" 2>/dev/null
            fi
            rm -rf "$0"
            """;
        var process = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", Script, folder, pidFile])
            {
                WorkingDirectory = "/",
                RedirectStandardInput = true,
            })!;
        lock (_waiting)
        {
            _waiting.Add(process);
        }
    }

    /// <summary>A free port of this machine.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static void Quit(int process) => _ = Kill(process, SigQuit);

    public static void Kill(int process) => _ = Kill(process, SigKill);

    public static void Terminate(int process) => _ = Kill(process, SigTerm);

    /// <summary>Freezes the process until it is thawed.</summary>
    public static void Freeze(int process) => _ = Kill(process, SigStop);

    public static void Thaw(int process) => _ = Kill(process, SigCont);

    private static string User() => _users.First(
        user => File.ReadLines("/etc/passwd").Any(
            line => line.StartsWith($"{user}:", StringComparison.Ordinal))) is "nobody"
        ? "65534"
        : "postgres";

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetUserId();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
