using Kaiju.Tasks.Relational;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>How long a migration waits for locks.</summary>
internal sealed record MigrationPatience
{
    public static MigrationPatience Default { get; } = new();

    /// <summary>The longest wait of one try. Statements of living hosts queue behind it.</summary>
    public TimeSpan Try { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The pause after a try, in which they run.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The time after which no try begins.</summary>
    public TimeSpan Most { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>
/// Takes the locks of a migration. While it waits for a table that a long transaction holds, every later statement on
/// the table queues behind it. So each try waits for a short time and is rolled back to a savepoint, which keeps the
/// locks of before. See docs/decisions/0018.
/// </summary>
/// <param name="transaction">The migration's transaction.</param>
/// <param name="place">The place of the tables.</param>
/// <param name="patience">The times.</param>
/// <param name="logger">The log; the first try that fails is logged.</param>
internal sealed class MigrationLocks(
    NpgsqlTransaction transaction, Place place, MigrationPatience patience, ILogger logger)
{
    private const string Savepoint = "before_try";

    /// <summary>Limits the lock waits of the transaction, and lets it rest between two tries.</summary>
    public Task LimitAsync(CancellationToken cancellationToken) => LockTimeout.SetLocalAsync(
        transaction.Connection!, patience.Try, cancellationToken);

    /// <summary>Repeats the work until it gets its locks.</summary>
    /// <param name="holder">What holds the locks, for messages.</param>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <exception cref="TaskSchemaException">The locks were held for too long.</exception>
    public async Task RepeatAsync(string holder, Func<Task> work, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        await transaction.SaveAsync(Savepoint, cancellationToken).ConfigureAwait(false);
        for (var tries = 1; ; tries++)
        {
            try
            {
                await work().ConfigureAwait(false);
                return;
            }
            catch (PostgresException e) when (Faults.IsHeld(e))
            {
                await transaction.RollbackAsync(Savepoint, cancellationToken).ConfigureAwait(false);
                if (TimeProvider.System.GetElapsedTime(began) >= patience.Most)
                {
                    throw new TaskSchemaException(
                        $"The tables in {place} were not migrated, and nothing has changed: {holder} for "
                            + $"{patience.Most}. End it, or migrate later. The view pg_locks shows it.",
                        e);
                }

                if (tries == 1)
                {
                    RelationalLog.MigrationHeld(logger, e, holder, patience.Most);
                }
            }

            await Task.Delay(patience.Pause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }
}
