using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Kaiju.Tasks.TestServers;

/// <summary>Before or after the server has carried the commit out.</summary>
public enum CutMoment
{
    /// <summary>The server never hears of the commit, and takes the transaction back.</summary>
    Before,

    /// <summary>The server has committed, and the client does not hear of it.</summary>
    After,
}

/// <summary>What becomes of the client's connection.</summary>
public enum CutKind
{
    /// <summary>It is closed.</summary>
    Close,

    /// <summary>It is reset (RST).</summary>
    Reset,

    /// <summary>
    /// It stays open, and nothing passes any more. The server loses its side after <see cref="CommitHarm.Length"/>.
    /// </summary>
    Blackhole,

    /// <summary>It goes on after <see cref="CommitHarm.Length"/>.</summary>
    Delay,
}

/// <summary>What is done to one commit.</summary>
/// <param name="Moment">When.</param>
/// <param name="Kind">What.</param>
/// <param name="Length">How long, for a delay and a black hole.</param>
public readonly record struct CommitHarm(CutMoment Moment, CutKind Kind, TimeSpan Length = default);

/// <summary>
/// Passes PostgreSQL connections on to a port of this machine, and harms commits: it follows the protocol far enough to
/// know when a commit is asked for, and when the server has answered it.
/// </summary>
public sealed class CommitProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<ProxiedSession, Task> _sessions = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _choosing = new();
    private readonly int _port;
    private readonly Task _accepting;
    private Func<AskedCommit, CommitHarm?> _choose = _ => null;
    private int _harms;

    /// <summary>Begins to pass connections on; nothing is harmed yet.</summary>
    /// <param name="port">The server's port.</param>
    public CommitProxy(int port)
    {
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The port of this machine to connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many commits were harmed.</summary>
    public int Harms => Volatile.Read(ref _harms);

    /// <summary>The commit that was harmed last.</summary>
    public AskedCommit? LastHarmed { get; private set; }

    /// <summary>Decides about every commit from now on, one at a time; null leaves it alone.</summary>
    public void Choose(Func<AskedCommit, CommitHarm?> choose)
    {
        lock (_choosing)
        {
            _choose = choose;
        }
    }

    /// <summary>Harms one commit, and no other.</summary>
    /// <param name="harm">How.</param>
    /// <param name="nth">Which of those that count, from 1.</param>
    /// <param name="counts">Which commits count; null: all that write.</param>
    public void HarmNext(CommitHarm harm, int nth = 1, Func<AskedCommit, bool>? counts = null)
    {
        var left = nth;
        Choose(commit => (counts?.Invoke(commit) ?? commit.Writes) && --left == 0 ? harm : null);
    }

    /// <summary>Harms no commit any more. What is delayed or in a black hole stays there for its time.</summary>
    public void Spare() => Choose(_ => null);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _stop.CancelAsync();
        await _accepting;
        foreach (var (session, running) in _sessions)
        {
            session.Dispose();
            await running;
        }

        _stop.Dispose();
    }

    private CommitHarm? HarmOf(AskedCommit commit)
    {
        lock (_choosing)
        {
            var harm = _choose(commit);
            if (harm is not null)
            {
                LastHarmed = commit;
                Volatile.Write(ref _harms, _harms + 1);
            }

            return harm;
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                client.NoDelay = true;
                var session = new ProxiedSession(client, HarmOf);
                _sessions[session] = RunAsync(session);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The proxy is being disposed of.
        }
    }

    private async Task RunAsync(ProxiedSession session)
    {
        await Task.Yield();
        await session.RunAsync(_port, _stop.Token);
        session.Dispose();
        _sessions.TryRemove(session, out _);
    }
}
