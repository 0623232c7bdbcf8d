using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Kaiju.Tasks.TestServers;

/// <summary>A commit that a client requests: of a transaction that it has begun, or of a single statement.</summary>
/// <param name="Statements">The texts of the transaction's statements.</param>
/// <param name="IsExplicit">The client has begun the transaction.</param>
public sealed partial record AskedCommit(IReadOnlyList<string> Statements, bool IsExplicit)
{
    /// <summary>At least one of the statements writes.</summary>
    public bool Writes => Statements.Any(statement => Writing().IsMatch(statement));

    [GeneratedRegex(@"\b(insert\s+into|delete\s+from|(?<!\bfor\s|\bkey\s)update\s)", RegexOptions.IgnoreCase)]
    private static partial Regex Writing();
}

/// <summary>The messages of a client to the server, parsed far enough to find its commits.</summary>
internal sealed class ClientDialogue
{
    private readonly Dictionary<string, string> _prepared = new(StringComparer.Ordinal);
    private readonly List<string> _statements = [];
    private bool _isInTransaction;

    /// <summary>
    /// The number of answers that the server owes or has given; the first one is for the start of the session.
    /// </summary>
    public int Asked { get; private set; } = 1;

    /// <summary>The last message completed a request: the server has all of it.</summary>
    public bool IsBetweenQuestions { get; private set; } = true;

    /// <summary>Records a message; returns the commit if the message requests one.</summary>
    public AskedCommit? Ask(ReadOnlySpan<byte> message)
    {
        var body = message[5..];
        IsBetweenQuestions = true;
        switch ((char)message[0])
        {
            case 'P':
                var name = TextAt(ref body);
                _prepared[name] = TextAt(ref body);
                IsBetweenQuestions = false;
                return null;
            case 'B':
                TextAt(ref body);
                _statements.Add(_prepared.GetValueOrDefault(TextAt(ref body), ""));
                IsBetweenQuestions = false;
                return null;
            case 'D' or 'E' or 'C':
                IsBetweenQuestions = false;
                return null;
            case 'S':
                Asked++;
                return _isInTransaction ? null : Committed(false);
            case 'Q':
                Asked++;
                return AskSimple(TextAt(ref body));
            case 'F':
                Asked++;
                return null;
            default:
                return null;
        }
    }

    private AskedCommit? AskSimple(string text)
    {
        if (text.StartsWith("BEGIN", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("START TRANSACTION", StringComparison.OrdinalIgnoreCase))
        {
            _isInTransaction = true;
            return null;
        }

        if (text.StartsWith("COMMIT", StringComparison.OrdinalIgnoreCase))
        {
            return Committed(true);
        }

        if (text.StartsWith("ROLLBACK", StringComparison.OrdinalIgnoreCase)
            && !text.Contains(" TO ", StringComparison.OrdinalIgnoreCase))
        {
            _isInTransaction = false;
            _statements.Clear();
            return null;
        }

        _statements.Add(text);
        return _isInTransaction ? null : Committed(false);
    }

    private AskedCommit? Committed(bool isExplicit)
    {
        var commit = new AskedCommit([.. _statements], isExplicit);
        _isInTransaction = false;
        _statements.Clear();
        return isExplicit || commit.Writes ? commit : null;
    }

    private static string TextAt(ref ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(body[..end]);
        body = body[(end + 1)..];
        return text;
    }
}

/// <summary>Reads whole messages from a socket: a type, if there is one, then the length of the rest.</summary>
internal sealed class MessageReader(Socket socket)
{
    private byte[] _buffer = new byte[32 * 1024];
    private int _from;
    private int _to;

    /// <summary>Waits for more; false at the end. Messages that were read before are no longer valid.</summary>
    public async ValueTask<bool> ReceiveAsync(CancellationToken stop)
    {
        if (_from > 0)
        {
            _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
            (_from, _to) = (0, _to - _from);
        }

        if (_to == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }

        var count = await socket.ReceiveAsync(_buffer.AsMemory(_to), stop);
        _to += count;
        return count > 0;
    }

    /// <summary>The next whole message, if one has arrived.</summary>
    /// <param name="typeLength">1 if messages begin with their type, else 0.</param>
    /// <param name="message">The whole message.</param>
    public bool TryTake(int typeLength, out ReadOnlyMemory<byte> message)
    {
        var known = _buffer.AsMemory(_from, _to - _from);
        message = default;
        if (known.Length < typeLength + 4)
        {
            return false;
        }

        var length = typeLength + BinaryPrimitives.ReadInt32BigEndian(known.Span[typeLength..]);
        if (known.Length < length)
        {
            return false;
        }

        message = known[..length];
        _from += length;
        return true;
    }
}
