using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// The beginning and the end of a store. Before the first step the tables are looked at, and created if that is asked
/// for, and the store begins to listen. What fails in passing is tried again a few times, and then by the next step.
/// </summary>
/// <param name="dataSource">Where the tables are.</param>
/// <param name="options">The options.</param>
/// <param name="retries">Tries again.</param>
/// <param name="parts">The store's parts.</param>
/// <param name="listen">Begins to listen; null where hosts only poll.</param>
internal sealed class PostgreSqlStart(
    NpgsqlDataSource dataSource,
    PostgreSqlTasksOptions options,
    PostgreSqlRetries retries,
    StoreParts parts,
    Func<HintChannel>? listen)
    : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile bool _isReady;
    private volatile bool _isClosing;

    /// <summary>Nothing is under way any more.</summary>
    private volatile bool _isClosed;

    /// <summary>How the store ends what is under way.</summary>
    public required Func<Task> Close { private get; init; }

    /// <summary>The channel of hints, once the store has started.</summary>
    public HintChannel? Channel { get; private set; }

    /// <summary>Starts the store if it has not started.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        if (_isReady)
        {
            // What was accepted before is carried out to its end.
            ClosedStore.ThrowIf(_isClosed);
            return;
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ClosedStore.ThrowIf(_isClosing);
            if (!_isReady)
            {
                var tables = new TablesAttempt(dataSource, options, cancellationToken);
                if (await retries.RepeatAsync(tables, cancellationToken).ConfigureAwait(false) is > 0 and var count)
                {
                    RelationalLog.Migrated(parts.Logger, count);
                }

                Channel = listen?.Invoke();
                _isReady = true;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends what is under way, once.</summary>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_isClosing)
            {
                _isClosing = true;
                await Close().ConfigureAwait(false);
                _isClosed = true;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// How many migrations were applied; none where that is not the store's task, and then the tables must be there.
    /// </summary>
    private sealed class TablesAttempt(
        NpgsqlDataSource dataSource, PostgreSqlTasksOptions options, CancellationToken cancellationToken) : Attempt<int>
    {
        public override async Task<int> TryAsync()
        {
            if (options.MigrateAtStart)
            {
                return await PostgreSqlSchema.MigrateAsync(
                    dataSource, options, cancellationToken).ConfigureAwait(false);
            }

            await PostgreSqlSchema.ThrowIfNotCurrentAsync(dataSource, options, cancellationToken).ConfigureAwait(false);
            return 0;
        }

        public override bool IsPassing(Exception fault) => Faults.IsRolledBackOrLost(fault);
    }
}
