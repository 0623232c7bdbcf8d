using System.Diagnostics;
using System.Globalization;
using Kaiju.Tasks.TestServers;

namespace Kaiju.Tasks.Faults;

/// <summary>
/// The processes: managers and executors, each of which can be killed, frozen, stopped and restarted.
/// </summary>
/// <param name="store">The store's kind.</param>
/// <param name="connectionString">The database.</param>
/// <param name="witness">The folder of the witnesses' files.</param>
/// <param name="missedPings">The missed pings after which an executor is dead.</param>
/// <param name="before">
/// This program of another commit: that of executors of the first version, and of every other process else. Null, for
/// none.
/// </param>
internal sealed class Crew(
    string store, string connectionString, string witness, int missedPings, string? before) : IDisposable
{
    private readonly List<(string Role, int Version, Process Process)> _members = [];

    public int Count => _members.Count;

    public int Executors => _members.Count(member => member.Role == "executor");

    /// <summary>Starts the processes.</summary>
    /// <param name="managers">The number of managers.</param>
    /// <param name="executors">The number of executors.</param>
    /// <param name="version">The version of the executors' program (<see cref="Worker.Commands"/>).</param>
    public void Start(int managers, int executors, int version)
    {
        for (var i = 0; i < managers + executors; i++)
        {
            _members.Add(i < managers ? New("manager", 0, i) : New("executor", version, i));
        }
    }

    /// <summary>The numbers of the processes with a role.</summary>
    public int[] Those(string role) =>
        [.. Enumerable.Range(0, _members.Count).Where(member => _members[member].Role == role)];

    public void Kill(int member) => Kill(member, _members[member].Version);

    public void Freeze(int member) => Programs.Freeze(_members[member].Process.Id);

    public void Thaw(int member) => Programs.Thaw(_members[member].Process.Id);

    /// <summary>
    /// Stops a process gracefully, waits until it has ended, and starts another; false if it had to be killed.
    /// </summary>
    public Task<bool> RestartAsync(int member) => ReplaceAsync(member, _members[member].Version, kills: false);

    /// <summary>
    /// Replaces a process by one of a version; false if it was to stop gracefully and had to be killed.
    /// </summary>
    public async Task<bool> ReplaceAsync(int member, int version, bool kills)
    {
        if (kills)
        {
            Kill(member, version);
            return true;
        }

        var hasStopped = await StopAsync(_members[member].Process);
        Replace(member, version);
        return hasStopped;
    }

    /// <summary>The processes that ended on their own, which none should.</summary>
    public IReadOnlyList<string> Ended() => [
        .. _members.Where(member => member.Process.HasExited).Select(
            member => $"a {member.Role} ended on its own with exit code {member.Process.ExitCode}")];

    /// <summary>Stops all processes gracefully; false if one had to be killed.</summary>
    public async Task<bool> StopAsync() =>
        (await Task.WhenAll(_members.Select(member => StopAsync(member.Process)))).All(stopped => stopped);

    public void Dispose()
    {
        foreach (var (_, _, process) in _members)
        {
            if (!process.HasExited)
            {
                Programs.Kill(process.Id);
            }

            process.Dispose();
        }
    }

    private static async Task<bool> StopAsync(Process process)
    {
        Programs.Terminate(process.Id);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(25), TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            Programs.Kill(process.Id);
            await process.WaitForExitAsync(CancellationToken.None);
            return false;
        }
    }

    private void Kill(int member, int version)
    {
        Programs.Kill(_members[member].Process.Id);
        _members[member].Process.WaitForExit();
        Replace(member, version);
    }

    private void Replace(int member, int version)
    {
        var role = _members[member].Role;
        _members[member].Process.Dispose();
        _members[member] = New(role, version, member);
    }

    private (string Role, int Version, Process Process) New(string role, int version, int member)
    {
        // The program starts itself, however it was started.
        var self = Environment.ProcessPath!;
        var isOlder = before is not null && (version == 0 ? member % 2 == 1 : version == Deployment.First);
        string[] program = isOlder ? [before!]
            : Path.GetFileNameWithoutExtension(self) == "dotnet" ? [typeof(Crew).Assembly.Location]
            : [];
        var start = new ProcessStartInfo(
            self,
            [
                .. program,
                "worker",
                role,
                store,
                connectionString,
                witness,
                missedPings.ToString(CultureInfo.InvariantCulture),
                version.ToString(CultureInfo.InvariantCulture),
            ]);
        start.Environment["DOTNET_TieredCompilation"] = "1";
        return (role, version, Process.Start(start)!);
    }
}
