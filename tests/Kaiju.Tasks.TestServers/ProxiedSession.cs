using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Kaiju.Tasks.TestServers;

/// <summary>One connection of a <see cref="CommitProxy"/>: both sides and the data between them.</summary>
internal sealed class ProxiedSession(Socket client, Func<AskedCommit, CommitHarm?> choose) : IDisposable
{
    private const int CancelRequest = 80877102;
    private const int SslRequest = 80877103;
    private const int EncryptionRequest = 80877104;

    private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly ClientDialogue _dialogue = new();
    private readonly MessageReader _asked = new(client);

    /// <summary>The harm to an answer, and its number: answers are counted by the server's ReadyForQuery.</summary>
    private volatile HarmedAnswer? _harmed;
    private volatile bool _isBlackhole;

    /// <summary>Completes when one of the two sides has ended, or the session was harmed.</summary>
    public async Task RunAsync(int port, CancellationToken stop)
    {
        try
        {
            await _server.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), stop);
            if (await StartAsync(stop))
            {
                var (questions, answers) = (Quietly(PassQuestionsAsync(stop)), Quietly(PassAnswersAsync(stop)));
                await Task.WhenAny(questions, answers).Unwrap();
                if (_isBlackhole)
                {
                    // The client's side stays open although the server's is gone.
                    await Task.WhenAll(questions, answers);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed by one of the two, or by the proxy.
        }
    }

    public void Dispose()
    {
        client.Dispose();
        _server.Dispose();
    }

    private static async Task Quietly(Task passing)
    {
        try
        {
            await passing;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed by one of the two, or by the proxy.
        }
    }

    /// <summary>Forwards the client's first messages, which have no type. False: no dialogue follows.</summary>
    private async Task<bool> StartAsync(CancellationToken stop)
    {
        while (true)
        {
            ReadOnlyMemory<byte> message;
            while (!_asked.TryTake(0, out message))
            {
                if (!await _asked.ReceiveAsync(stop))
                {
                    return false;
                }
            }

            await _server.SendAsync(message, stop);
            switch (BinaryPrimitives.ReadInt32BigEndian(message.Span[4..]))
            {
                case SslRequest or EncryptionRequest:
                    var answer = new byte[1];
                    await _server.ReceiveAsync(answer, stop);
                    await client.SendAsync(answer, stop);
                    if (answer[0] != (byte)'N')
                    {
                        throw new NotSupportedException("A commit cannot be seen in an encrypted connection.");
                    }

                    break;
                case CancelRequest:
                    // The server closes the connection once it has done so.
                    await _server.ReceiveAsync(new byte[1], stop);
                    return false;
                default:
                    return true;
            }
        }
    }

    /// <summary>Forwards requests, each whole, so that no part of a harmed one reaches the server.</summary>
    private async Task PassQuestionsAsync(CancellationToken stop)
    {
        var passing = new ArrayBufferWriter<byte>();
        do
        {
            var whole = 0;
            while (_asked.TryTake(1, out var message))
            {
                var commit = _dialogue.Ask(message.Span);
                if (commit is not null && choose(commit) is { } harm)
                {
                    if (harm.Moment == CutMoment.After)
                    {
                        _harmed = new HarmedAnswer(_dialogue.Asked, harm);
                    }
                    else
                    {
                        await _server.SendAsync(passing.WrittenMemory[..whole], stop);
                        passing = Rest(passing, whole);
                        if (!await IsPassedOnAsync(harm, stop))
                        {
                            return;
                        }
                    }
                }

                passing.Write(message.Span);
                if (_dialogue.IsBetweenQuestions)
                {
                    whole = passing.WrittenCount;
                }
            }

            if (whole > 0)
            {
                await _server.SendAsync(passing.WrittenMemory[..whole], stop);
                passing = Rest(passing, whole);
            }
        }
        while (await _asked.ReceiveAsync(stop));
    }

    private async Task PassAnswersAsync(CancellationToken stop)
    {
        var answers = new MessageReader(_server);
        var passing = new ArrayBufferWriter<byte>();
        var answered = 0;
        while (await answers.ReceiveAsync(stop))
        {
            var whole = 0;
            while (answers.TryTake(1, out var message))
            {
                passing.Write(message.Span);
                if (message.Span[0] != (byte)'Z')
                {
                    continue;
                }

                answered++;
                if (_harmed is { } harmed && harmed.Number == answered)
                {
                    await client.SendAsync(passing.WrittenMemory[..whole], stop);
                    passing = Rest(passing, whole);
                    if (!await IsPassedOnAsync(harmed.Harm, stop))
                    {
                        return;
                    }

                    _harmed = null;
                }

                whole = passing.WrittenCount;
            }

            // No part of a harmed answer passes: neither its rows nor its completion.
            var ready = _harmed is { } next && next.Number == answered + 1 ? whole : passing.WrittenCount;
            await client.SendAsync(passing.WrittenMemory[..ready], stop);
            passing = Rest(passing, ready);
        }
    }

    /// <summary>Harms the session; true if it continues afterwards.</summary>
    private async Task<bool> IsPassedOnAsync(CommitHarm harm, CancellationToken stop)
    {
        switch (harm.Kind)
        {
            case CutKind.Delay:
                await Task.Delay(harm.Length, TimeProvider.System, stop);
                return true;
            case CutKind.Blackhole:
                _isBlackhole = true;
                await Task.Delay(harm.Length, TimeProvider.System, stop);
                _server.Dispose();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
                return false;
            case CutKind.Reset:
                client.LingerState = new LingerOption(true, 0);
                Dispose();
                return false;
            default:
                Dispose();
                return false;
        }
    }

    private static ArrayBufferWriter<byte> Rest(ArrayBufferWriter<byte> written, int from)
    {
        if (from == written.WrittenCount)
        {
            written.ResetWrittenCount();
            return written;
        }

        var rest = new ArrayBufferWriter<byte>();
        rest.Write(written.WrittenSpan[from..]);
        return rest;
    }

    private sealed record HarmedAnswer(int Number, CommitHarm Harm);
}
