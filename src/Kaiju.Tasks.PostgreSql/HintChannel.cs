using System.Threading.Channels;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Sends and receives hints between processes. A NOTIFY contains the kinds of changes, the apps and the ids of tasks.
/// Commits with a NOTIFY wait for each other, so there is a gap between two of them. A creation has its NOTIFY in its
/// own commit if none was sent just before. All others are sent after the commit, and those of a short time are merged.
/// See docs/decisions/0003.
/// </summary>
internal sealed class HintChannel : IAsyncDisposable
{
    private const string ListenWork = "listen for hints";

    private static readonly TimeSpan _gap = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    // The machine's clock on purpose: how long a connection may be silent has nothing to do with the store's time.
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
    /// <summary>Signals that there is a hint to send; one signal is enough for several.</summary>
    private readonly Channel<bool> _toSend = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly List<Task> _loops = [];
    private StoreHint _toTell;
    private long _lastTurn;

    /// <summary>Begins to listen and to send.</summary>
    /// <param name="connections">The connections for sending.</param>
    /// <param name="listening">The connection that listens.</param>
    /// <param name="options">The options; the schema is the channel's name.</param>
    /// <param name="listeners">The listeners of this process.</param>
    /// <param name="logger">The log for a lost connection.</param>
    /// <param name="outages">The outages to which a lost connection is reported; null for none.</param>
    /// <param name="sender">
    /// A name unique to this process: its own hints are ignored, since its listeners got them already.
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

        // The loops outlive the call that started the store.
        _loops.Add(Detached.Run(() => ListenAsync(_stop.Token)));
        _loops.Add(Detached.Run(() => SendAsync(_stop.Token)));
    }

    /// <summary>The payload of a hint that this process publishes to its own listeners itself.</summary>
    public string TextOf(StoreHint hint) => HintPayload.Write(hint, _sender);

    /// <summary>
    /// True if no hint was sent just now and none is waiting. The caller then sends its hint itself, and no other hint
    /// is sent for a moment.
    /// </summary>
    public bool TryTakeTurn() => !HasToTell() && TryPass();

    /// <summary>Sends a hint to other processes soon.</summary>
    public void Send(StoreHint hint)
    {
        // If the store is closed, the hint is lost; polling finds the change.
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
            // Other commits with notifications take long; the hint is sent again after the gap.
            Add(hint);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The hint is lost; polling finds the change.
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

            // Hints sent before the listening began are lost: anything may have changed.
            _listeners.Publish(new StoreHint(StoreHintKinds.All));
            while (true)
            {
                if (!await connection.WaitAsync(_options.KeepAliveInterval, cancellationToken).ConfigureAwait(false))
                {
                    // Silence may mean that nothing happens, or that the connection is dead on the other side.
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
