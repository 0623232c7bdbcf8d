using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>The kind of an error of SQLite. It decides the treatment of the step and of the other steps.</summary>
internal enum FaultKind
{
    /// <summary>
    /// Another connection holds a lock. The step is retried, for at most the busy timeout.
    /// </summary>
    Lock,

    /// <summary>The connection is unfit. It is replaced, and the step is retried once.</summary>
    Connection,

    /// <summary>
    /// The file, the disk or the memory failed. Nothing in the transaction can be trusted: every step in it fails, and
    /// the connection is replaced.
    /// </summary>
    File,

    /// <summary>The database cannot store the value. The item is refused; the other steps are not affected.</summary>
    Data,

    /// <summary>The step would fail again in the same way. It fails alone.</summary>
    Permanent,
}

/// <summary>The kind of every result code of SQLite. A test compares it with the table in docs/operations.md.</summary>
internal static class Faults
{
    /// <summary>The kinds by primary code; an extended code has the kind of its primary code.</summary>
    private static readonly Dictionary<int, FaultKind> _kinds = new()
    {
        [raw.SQLITE_BUSY] = FaultKind.Lock,
        [raw.SQLITE_LOCKED] = FaultKind.Lock,
        [raw.SQLITE_PROTOCOL] = FaultKind.Lock, // Several connections began at once, and this one lost.

        // A connection that was opened while the file was read-only stays read-only.
        [raw.SQLITE_READONLY] = FaultKind.Connection,
        [raw.SQLITE_CANTOPEN] = FaultKind.Connection,
        [raw.SQLITE_PERM] = FaultKind.Connection,
        [raw.SQLITE_SCHEMA] = FaultKind.Connection, // A prepared statement is of an older schema.
        [raw.SQLITE_INTERRUPT] = FaultKind.Connection,
        [raw.SQLITE_ABORT] = FaultKind.Connection, // The transaction was rolled back under the statement.
        [raw.SQLITE_MISUSE] = FaultKind.Connection,
        [raw.SQLITE_INTERNAL] = FaultKind.Connection,

        [raw.SQLITE_IOERR] = FaultKind.File,
        [raw.SQLITE_FULL] = FaultKind.File,
        [raw.SQLITE_CORRUPT] = FaultKind.File,
        [raw.SQLITE_NOTADB] = FaultKind.File,
        [raw.SQLITE_NOMEM] = FaultKind.File,

        [raw.SQLITE_CONSTRAINT] = FaultKind.Data,
        [raw.SQLITE_TOOBIG] = FaultKind.Data,
        [raw.SQLITE_MISMATCH] = FaultKind.Data,

        [raw.SQLITE_ERROR] = FaultKind.Permanent, // The statement does not fit the tables.
        [raw.SQLITE_AUTH] = FaultKind.Permanent,
        [raw.SQLITE_FORMAT] = FaultKind.Permanent,
        [raw.SQLITE_NOLFS] = FaultKind.Permanent,
        [raw.SQLITE_NOTFOUND] = FaultKind.Permanent,
        [raw.SQLITE_EMPTY] = FaultKind.Permanent, // Not used by SQLite.
        [raw.SQLITE_RANGE] = FaultKind.Permanent,
        [raw.SQLITE_NOTICE] = FaultKind.Permanent, // These two are lines of SQLite's log and not errors.
        [raw.SQLITE_WARNING] = FaultKind.Permanent,
    };

    /// <summary>The primary codes that have a kind; for the test that compares them with SQLite's.</summary>
    internal static IReadOnlyCollection<int> Decided => _kinds.Keys;

    /// <summary>
    /// The kind of a primary or extended code. A code that this version does not know is permanent, so its exception is
    /// thrown to the caller.
    /// </summary>
    public static FaultKind KindOf(int code) => _kinds.GetValueOrDefault(code & 0xff, FaultKind.Permanent);

    /// <summary>The kind of an exception; null if it is not one of SQLite's.</summary>
    public static FaultKind? KindOf(Exception e) => e is SqliteException fault ? KindOf(fault.SqliteErrorCode) : null;
}
