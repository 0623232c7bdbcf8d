using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// A call's wait for locks of other connections: pauses that grow, in all no longer than the busy timeout. SQLite and
/// the driver do not wait. So the option bounds the whole call, no thread is blocked, and a cancelled caller is
/// answered at once. See docs/decisions/0014.
/// </summary>
internal sealed class LockWait(SqliteTasksOptions options)
{
    private const double FirstPause = 1;
    private const double LongestPause = 32;

    private readonly long _began = Clock.GetTimestamp();
    private double _pause = FirstPause;

    // The machine's clock on purpose: how long a lock is held has nothing to do with the store's time.
    private static TimeProvider Clock => TimeProvider.System;

    /// <summary>
    /// Runs a function that needs the file, and repeats it while the file is locked. It does not repeat a transaction
    /// that read rows which another one has changed in the meantime: such a transaction can never write.
    /// </summary>
    /// <exception cref="SqliteException">
    /// The busy timeout is over, or the function failed for another reason.
    /// </exception>
    public static async ValueTask<T> UseAsync<T>(
        Func<T> use, SqliteTasksOptions options, CancellationToken cancellationToken)
    {
        LockWait? wait = null;
        while (true)
        {
            try
            {
                return use();
            }
            catch (SqliteException e) when (Faults.KindOf(e) == FaultKind.Lock
                && e.SqliteExtendedErrorCode != raw.SQLITE_BUSY_SNAPSHOT)
            {
                await (wait ??= new LockWait(options)).PauseAsync(e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Creates the exception of a call whose busy timeout is over.</summary>
    public static SqliteException TimedOut(SqliteTasksOptions options, SqliteException locked) => new(
        $"The SQLite file \"{SqliteFile.PathOf(options)}\" was locked by another connection for {options.BusyTimeout} "
        + $"({nameof(options.BusyTimeout)}); "
        + $"the step did not run. {locked.Message}",
        locked.SqliteErrorCode,
        locked.SqliteExtendedErrorCode);

    /// <summary>The pause before the next try; it grows with each, and ends with the busy timeout.</summary>
    /// <param name="left">The time left of the busy timeout.</param>
    public TimeSpan NextPause(TimeSpan left)
    {
        var pause = TimeSpan.FromMilliseconds(_pause);
        _pause = Math.Min(_pause * 2, LongestPause);
        return pause < left ? pause : left;
    }

    private Task PauseAsync(SqliteException locked, CancellationToken cancellationToken)
    {
        var left = options.BusyTimeout - Clock.GetElapsedTime(_began);
        return left > TimeSpan.Zero
            ? Task.Delay(NextPause(left), Clock, cancellationToken)
            : throw TimedOut(options, locked);
    }
}
