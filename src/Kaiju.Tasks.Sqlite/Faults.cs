using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite;

/// <summary>What an error of SQLite means for the step that met it, and for the steps beside it.</summary>
internal enum FaultKind
{
    /// <summary>
    /// Another connection holds a lock. The step waits for it and is done again, for at most the busy timeout.
    /// </summary>
    Lock,

    /// <summary>The connection is not fit, or no longer. It is replaced, and the step is done again once.</summary>
    Connection,

    /// <summary>
    /// The file, the disk or the memory failed. Nothing of the transaction can be trusted: every step in it fails, and
    /// the connection is replaced.
    /// </summary>
    File,

    /// <summary>The database cannot hold the value. The item is refused; the steps beside it are carried out.</summary>
    Data,

    /// <summary>The same step would fail in the same way. It fails alone.</summary>
    Permanent,
}

/// <summary>Every result code of SQLite, decided. docs/operations.md has the same table for its readers.</summary>
internal static class Faults
{
    /// <summary>By primary code; an extended code goes with its primary one.</summary>
    private static readonly Dictionary<int, FaultKind> _kinds = new()
    {
        [raw.SQLITE_BUSY] = FaultKind.Lock,
        [raw.SQLITE_LOCKED] = FaultKind.Lock,
        [raw.SQLITE_PROTOCOL] = FaultKind.Lock, // Several connections began at once, and this one lost.

        // A connection that was opened while the file was read-only stays so for ever.
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

    /// <summary>The primary codes that are decided; for the test that knows them all.</summary>
    internal static IReadOnlyCollection<int> Decided => _kinds.Keys;

    /// <summary>
    /// What a primary or extended code means. A code that this version does not know is permanent: it is thrown to its
    /// caller.
    /// </summary>
    public static FaultKind KindOf(int code) => _kinds.GetValueOrDefault(code & 0xff, FaultKind.Permanent);

    /// <summary>What an exception means; null if SQLite has not thrown it.</summary>
    public static FaultKind? KindOf(Exception e) => e is SqliteException fault ? KindOf(fault.SqliteErrorCode) : null;
}
