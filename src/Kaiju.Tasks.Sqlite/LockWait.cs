using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>
/// A call's wait for locks of other connections: short pauses that grow, in all no longer than the busy timeout.
/// Neither SQLite nor the driver waits, so that the option is the bound of the whole call, no thread is kept, and a
/// cancelled caller is answered at once.
/// </summary>
internal sealed class LockWait(SqliteTasksOptions options)
{
    private const double FirstPause = 1;
    private const double LongestPause = 32;

    private readonly long _began = Clock.GetTimestamp();
    private double _pause = FirstPause;

    // Of the machine on purpose: how long a lock is held has nothing to do with the store's time.
    private static TimeProvider Clock => TimeProvider.System;

    /// <summary>
    /// Does something that needs the file, again while it is locked. A transaction that has read what another one has
    /// changed since can never write, however long it waits.
    /// </summary>
    /// <exception cref="SqliteException">The busy timeout is over, or it failed for another reason.</exception>
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

    /// <summary>The exception of a call whose wait is over.</summary>
    public static SqliteException TimedOut(SqliteTasksOptions options, SqliteException locked) => new(
        $"The SQLite file \"{SqliteFile.PathOf(options)}\" was locked by another connection for {options.BusyTimeout} "
        + $"({nameof(options.BusyTimeout)}); "
        + $"the step did not run. {locked.Message}",
        locked.SqliteErrorCode,
        locked.SqliteExtendedErrorCode);

    /// <summary>How long to pause before the next try; grows with each, and ends with the busy timeout.</summary>
    /// <param name="left">What is left of the busy timeout.</param>
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
