using System.Threading.Channels;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Hints between processes: a NOTIFY says what kinds of things have changed, in which apps and of which tasks. Every
/// commit with a NOTIFY waits for all others, so one follows the other after a gap: a creation has its own in its
/// commit if nothing was said just before, everything else is sent after the commit, what comes soon after one another
/// as one.
/// </summary>
internal sealed class HintChannel : IAsyncDisposable
{
    private const string ListenWork = "listen for hints";

    private static readonly TimeSpan _gap = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    // Of the machine on purpose: how long a connection may be silent has nothing to do with the store's time.
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly PostgreSqlConnections _connections;
    private readonly DedicatedConnection _listening;
    private readonly PostgreSqlTasksOptions _options;
    private readonly HintListeners _listeners;
    private readonly ILogger _logger;
    private readonly StoreOutages? _outages;
    private readonly string _sender;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    /// <summary>Says that there is something to send; once is enough.</summary>
    private readonly Channel<bool> _toSend = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly List<Task> _loops = [];
    private StoreHint _toTell;
    private long _lastTurn;

    /// <summary>Begins to listen and to send.</summary>
    /// <param name="connections">Where connections for sending come from.</param>
    /// <param name="listening">The connection that listens.</param>
    /// <param name="options">The schema, which is the channel's name.</param>
    /// <param name="listeners">The listeners of this process.</param>
    /// <param name="logger">Where a lost connection is logged.</param>
    /// <param name="outages">Where a lost connection is reported; null for nowhere.</param>
    /// <param name="sender">
    /// A name that no other process has: hints that this one has sent are ignored, since its listeners have heard them.
    /// </param>
    public HintChannel(
        PostgreSqlConnections connections,
        DedicatedConnection listening,
        PostgreSqlTasksOptions options,
        HintListeners listeners,
        ILogger logger,
        StoreOutages? outages,
        string sender)
    {
        (_connections, _listening, _options, _listeners) = (connections, listening, options, listeners);
        (_logger, _outages, _sender) = (logger, outages, sender);
        _lastTurn = _clock.GetTimestamp();

        // They outlive the call that has started the store.
        _loops.Add(Detached.Run(() => ListenAsync(_stop.Token)));
        _loops.Add(Detached.Run(() => SendAsync(_stop.Token)));
    }

    /// <summary>The payload of a hint that our own listeners have heard, or will.</summary>
    public string TextOf(StoreHint hint) => HintPayload.Write(hint, _sender);

    /// <summary>
    /// True if nothing was said just now and nothing waits to be said: whoever asked says it himself, and nobody else
    /// does for a moment.
    /// </summary>
    public bool TryTakeTurn() => !HasToTell() && TryPass();

    /// <summary>Tells other processes, soon.</summary>
    public void Send(StoreHint hint)
    {
        // Where the store is closed, polling finds what this was about.
        Add(hint);
        _toSend.Writer.TryWrite(true);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _listening.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await _toSend.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            while (HasToTell())
            {
                if (TryPass())
                {
                    await NotifyAsync(TakeAll(), cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    await Task.Delay(_gap, _clock, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private void Add(StoreHint hint)
    {
        lock (_lock)
        {
            _toTell = _toTell.With(hint);
        }
    }

    private bool HasToTell()
    {
        lock (_lock)
        {
            return _toTell.Kinds != StoreHintKinds.None;
        }
    }

    private StoreHint TakeAll()
    {
        lock (_lock)
        {
            var all = _toTell;
            _toTell = default;
            return all;
        }
    }

    private async Task NotifyAsync(StoreHint hint, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await _connections.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                using var notify = new NpgsqlCommand("select pg_notify($1, $2)", connection);
                notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _options.Schema });
                notify.Parameters.Add(new NpgsqlParameter<string> { TypedValue = TextOf(hint) });
                await notify.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (PostgresException e) when (Faults.IsHeld(e))
        {
            // Other commits with notifications take long; after the gap it is said again.
            Add(hint);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A hint that is lost; polling finds what it was about.
        }
    }

    private bool TryPass()
    {
        var last = Volatile.Read(ref _lastTurn);
        var now = _clock.GetTimestamp();
        return _clock.GetElapsedTime(last, now) >= _gap
            && Interlocked.CompareExchange(ref _lastTurn, now, last) == last;
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var pause = TimeSpan.Zero;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await _listening.UseAsync(
                    connection => ListenAsync(connection, () => pause = TimeSpan.Zero, cancellationToken),
                    cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                RelationalLog.ListeningLost(_logger, e);
                _outages?.Failed(ListenWork, e);
                pause = pause == TimeSpan.Zero
                    ? TimeSpan.FromMilliseconds(100)
                    : pause * 2 < _longestPause ? pause * 2 : _longestPause;
                await Task.Delay(pause, _clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Listens until a fault or the end.</summary>
    private async ValueTask<bool> ListenAsync(
        NpgsqlConnection connection, Action isUp, CancellationToken cancellationToken)
    {
        connection.Notification += (_, notification) => Hear(notification.Payload);
        try
        {
            await ExecuteAsync(connection, $"listen \"{_options.Schema}\"", cancellationToken).ConfigureAwait(false);
            isUp();
            _outages?.Succeeded(ListenWork);

            // What was said before we listened nobody has heard.
            _listeners.Publish(new StoreHint(StoreHintKinds.All));
            while (true)
            {
                if (!await connection.WaitAsync(_options.KeepAliveInterval, cancellationToken).ConfigureAwait(false))
                {
                    // Silence may be peace or a connection that is dead on the other side.
                    await ExecuteAsync(connection, "select 1", cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            await _connections.LeaveAsync(connection).ConfigureAwait(false);
        }
    }

    private void Hear(string payload)
    {
        var (hint, sender) = HintPayload.Read(payload);
        if (sender != _sender)
        {
            _listeners.Publish(hint);
        }
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(text, connection)
        {
            CommandTimeout = (int)Math.Ceiling(_options.KeepAliveInterval.TotalSeconds),
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
