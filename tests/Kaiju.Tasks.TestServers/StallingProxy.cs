using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Kaiju.Tasks.TestServers;

/// <summary>
/// Forwards connections to a port of this machine until they are stalled: then they stay open, and no data passes.
/// </summary>
public sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly int _port;
    private readonly Task _accepting;
    private CancellationTokenSource _stall = new();

    public StallingProxy(int port)
    {
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Stalls the current connections; new ones pass.</summary>
    public void Stall() => Interlocked.Exchange(ref _stall, new CancellationTokenSource()).Cancel();

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        _stall.Cancel();
        await _accepting;
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        _stall.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(IPAddress.Loopback, _port);
                _sockets.Add(client);
                _sockets.Add(server);
                _ = PassAsync(client, server, _stall.Token);
                _ = PassAsync(server, client, _stall.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // No further connections are accepted.
        }
    }

    private static async Task PassAsync(Socket from, Socket to, CancellationToken stall)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, stall) is > 0 and var count)
            {
                await to.SendAsync(buffer.AsMemory(0, count), stall);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Stalled, or closed by one of the two.
        }
    }
}
