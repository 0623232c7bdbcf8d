using Kaiju.Tasks.Relational;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Starts and closes a store. Before the first step it checks the tables, migrates them if configured, and begins to
/// listen. After a transient fault it retries a few times; then the next step tries again.
/// </summary>
/// <param name="dataSource">The database of the tables.</param>
/// <param name="options">The options.</param>
/// <param name="retries">The retries.</param>
/// <param name="parts">The store's parts.</param>
/// <param name="listen">The function that begins to listen; null where hosts only poll.</param>
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

    /// <summary>True if no step is running any more.</summary>
    private volatile bool _isClosed;

    /// <summary>Completes the steps that are running.</summary>
    public required Func<Task> Close { private get; init; }

    /// <summary>The channel of hints, once the store has started.</summary>
    public HintChannel? Channel { get; private set; }

    /// <summary>Starts the store if it has not started.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        if (_isReady)
        {
            // Steps that were accepted before the close may still run.
            ClosedStore.ThrowIf(_isClosed);
            return;
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ClosedStore.ThrowIf(_isClosing);
            if (!_isReady)
            {
                var tables = new TablesAttempt(dataSource, options, parts.Logger, cancellationToken);
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

    /// <summary>Completes the running steps, once.</summary>
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
    /// Migrates the tables and answers the number of applied migrations. Where the store must not migrate, the tables
    /// must be current, and the answer is zero.
    /// </summary>
    private sealed class TablesAttempt(
        NpgsqlDataSource dataSource,
        PostgreSqlTasksOptions options,
        ILogger logger,
        CancellationToken cancellationToken) : Attempt<int>
    {
        public override async Task<int> TryAsync()
        {
            if (options.MigrateAtStart)
            {
                return await PostgreSqlSchema.MigrateAsync(
                    dataSource, options, MigrationPatience.Default, logger, cancellationToken).ConfigureAwait(false);
            }

            await PostgreSqlSchema.ThrowIfNotCurrentAsync(dataSource, options, cancellationToken).ConfigureAwait(false);
            return 0;
        }

        public override bool IsPassing(Exception fault) => Faults.IsRolledBackOrLost(fault);
    }
}
