using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Kaiju.Tasks.TestServers;

/// <summary>Before or after the server has executed the commit.</summary>
public enum CutMoment
{
    /// <summary>The server never receives the commit, and rolls the transaction back.</summary>
    Before,

    /// <summary>The server has committed, and the client gets no answer.</summary>
    After,
}

/// <summary>The effect on the client's connection.</summary>
public enum CutKind
{
    /// <summary>The connection is closed.</summary>
    Close,

    /// <summary>The connection is reset (RST).</summary>
    Reset,

    /// <summary>
    /// The connection stays open, and no data passes. The server loses its side after <see cref="CommitHarm.Length"/>.
    /// </summary>
    Blackhole,

    /// <summary>The connection continues after <see cref="CommitHarm.Length"/>.</summary>
    Delay,
}

/// <summary>The harm to one commit.</summary>
/// <param name="Moment">Before or after the commit.</param>
/// <param name="Kind">The effect on the connection.</param>
/// <param name="Length">The length of a delay or a black hole.</param>
public readonly record struct CommitHarm(CutMoment Moment, CutKind Kind, TimeSpan Length = default);

/// <summary>
/// Forwards PostgreSQL connections to a port of this machine, and harms commits. It parses the protocol far enough to
/// find requests for a commit and the server's answers.
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

    /// <summary>Begins to forward connections; no commit is harmed yet.</summary>
    /// <param name="port">The server's port.</param>
    public CommitProxy(int port)
    {
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The port of this machine to connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The number of harmed commits.</summary>
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

    /// <summary>Harms exactly one commit.</summary>
    /// <param name="harm">The harm.</param>
    /// <param name="nth">The position among the counted commits, from 1.</param>
    /// <param name="counts">The commits that count; null: all that write.</param>
    public void HarmNext(CommitHarm harm, int nth = 1, Func<AskedCommit, bool>? counts = null)
    {
        var left = nth;
        Choose(commit => (counts?.Invoke(commit) ?? commit.Writes) && --left == 0 ? harm : null);
    }

    /// <summary>Stops harming commits. Connections in a delay or a black hole stay there for its time.</summary>
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
            // The proxy is being disposed.
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
