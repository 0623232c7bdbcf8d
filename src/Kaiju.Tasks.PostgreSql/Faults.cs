using System.Collections.Frozen;
using System.Net.Sockets;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>Which faults go away when one tries again, and what they say about whether the step has happened.</summary>
internal static class Faults
{
    // Every class of SQLSTATE, and the codes that are not what their class is. docs/operations.md shows the same table;
    // a test compares them.
    private static readonly FrozenDictionary<string, FaultKind> _kinds = new Dictionary<string, FaultKind>
    {
        // Successes and warnings, which are no faults; statements that are never right.
        ["00"] = FaultKind.Permanent,
        ["01"] = FaultKind.Permanent,
        ["02"] = FaultKind.Permanent,
        ["03"] = FaultKind.Permanent,
        ["0B"] = FaultKind.Permanent,
        ["0F"] = FaultKind.Permanent,
        ["0L"] = FaultKind.Permanent,
        ["0P"] = FaultKind.Permanent,
        ["0Z"] = FaultKind.Permanent,
        ["10"] = FaultKind.Permanent,
        ["24"] = FaultKind.Permanent,
        ["2B"] = FaultKind.Permanent,
        ["2D"] = FaultKind.Permanent,
        ["3B"] = FaultKind.Permanent,

        // The session is gone, or the pooler between has lost it.
        ["08"] = FaultKind.Connection,

        // Prepared statements and portals: what this session was to keep is not there, or is of tables that have been
        // migrated since.
        ["0A"] = FaultKind.Unfit,
        ["26"] = FaultKind.Unfit,
        ["34"] = FaultKind.Unfit,
        ["42P05"] = FaultKind.Unfit,

        // Values, and rules on the tables: constraints, and triggers and functions of other people's.
        ["09"] = FaultKind.Data,
        ["20"] = FaultKind.Data,
        ["21"] = FaultKind.Data,
        ["22"] = FaultKind.Data,
        ["23"] = FaultKind.Data,
        ["27"] = FaultKind.Data,
        ["2F"] = FaultKind.Data,
        ["38"] = FaultKind.Data,
        ["39"] = FaultKind.Data,
        ["44"] = FaultKind.Data,
        ["54"] = FaultKind.Data,
        ["P0"] = FaultKind.Data,

        // Only reading: a server that gives way to another one, or that an operator has closed for a while. The last
        // two end the session.
        ["25"] = FaultKind.Permanent,
        [PostgresErrorCodes.ReadOnlySqlTransaction] = FaultKind.Unfit,
        ["25P03"] = FaultKind.Connection,
        ["25P04"] = FaultKind.Connection,

        // Who comes in, and where to; rights, names and statements.
        ["28"] = FaultKind.Permanent,
        ["3D"] = FaultKind.Permanent,
        ["3F"] = FaultKind.Permanent,
        ["42"] = FaultKind.Permanent,
        ["HV"] = FaultKind.Permanent,

        // Serialisation failures and deadlocks.
        ["40"] = FaultKind.RolledBack,
        [PostgresErrorCodes.StatementCompletionUnknown] = FaultKind.Connection,
        ["72"] = FaultKind.RolledBack,

        // No room, no file, not yet, not here. Npgsql closes a session that says 53, 58, F0 or XX.
        ["53"] = FaultKind.Unfit,
        ["55"] = FaultKind.Unfit,
        [PostgresErrorCodes.ObjectInUse] = FaultKind.RolledBack,
        [PostgresErrorCodes.CantChangeRuntimeParam] = FaultKind.Permanent,
        [PostgresErrorCodes.LockNotAvailable] = FaultKind.Locked,
        ["55P04"] = FaultKind.Permanent,
        ["58"] = FaultKind.Unfit,
        ["F0"] = FaultKind.Unfit,
        ["XX"] = FaultKind.Unfit,
        [PostgresErrorCodes.DataCorrupted] = FaultKind.Permanent,
        [PostgresErrorCodes.IndexCorrupted] = FaultKind.Permanent,

        // An operator, or a timeout of the server's: it ends the statement or the session.
        ["57"] = FaultKind.Unfit,
        [PostgresErrorCodes.QueryCanceled] = FaultKind.RolledBack,
        [PostgresErrorCodes.AdminShutdown] = FaultKind.Connection,
        [PostgresErrorCodes.CrashShutdown] = FaultKind.Connection,
        [PostgresErrorCodes.CannotConnectNow] = FaultKind.Connection,
        [PostgresErrorCodes.DatabaseDropped] = FaultKind.Connection,
        [PostgresErrorCodes.IdleSessionTimeout] = FaultKind.Connection,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// The kind of a code or of a class; of codes that only a fork of PostgreSQL knows, <see
    /// cref="FaultKind.Permanent"/>.
    /// </summary>
    public static FaultKind KindOf(string sqlState) =>
        _kinds.TryGetValue(sqlState, out var kind) || (sqlState.Length > 2
            && _kinds.TryGetValue(sqlState[..2], out kind))
            ? kind
            : FaultKind.Permanent;

    public static FaultKind KindOf(Exception e) => e switch
    {
        PostgresException server => KindOf(server),
        NpgsqlException or IOException or SocketException or TimeoutException => FaultKind.Connection,
        ObjectDisposedException or InvalidOperationException when e.Source == "Npgsql" => FaultKind.Connection,
        _ => FaultKind.Permanent,
    };

    /// <summary>Nothing has happened, and it may the next time: a deadlock, or a session that is not fit.</summary>
    public static bool IsRolledBack(Exception e) => KindOf(e) is FaultKind.RolledBack or FaultKind.Unfit;

    /// <summary>Nothing has happened, or it is not known; and it may go the next time.</summary>
    public static bool IsRolledBackOrLost(Exception e) =>
        KindOf(e) is FaultKind.RolledBack or FaultKind.Unfit or FaultKind.Connection;

    /// <summary>
    /// The connection or the server is gone. Before the commit nothing has happened; during it nobody knows.
    /// </summary>
    public static bool IsOfConnection(Exception e) => KindOf(e) == FaultKind.Connection;

    /// <summary>The session is not to be used again, though it is open.</summary>
    public static bool IsUnfit(Exception e) => KindOf(e) == FaultKind.Unfit;

    /// <summary>
    /// A row, an id or a table is held by another transaction for longer than <see cref="LockTimeout"/>. Nothing has
    /// happened, not even if a commit says so, which waits for those that notify.
    /// </summary>
    public static bool IsHeld(Exception e) => KindOf(e) == FaultKind.Locked;

    /// <summary>What goes away when one tries again, and did no harm if it has happened.</summary>
    public static bool IsPassing(Exception e) =>
        KindOf(e) is FaultKind.RolledBack or FaultKind.Unfit or FaultKind.Locked or FaultKind.Connection;

    /// <summary>
    /// The server has answered a commit with an error, so that it has not happened. What ends the session on the way
    /// says nothing about it.
    /// </summary>
    public static bool IsOfRefusedCommit(Exception e) =>
        e is PostgresException { InvariantSeverity: "ERROR" } && !IsOfConnection(e);

    /// <summary>The server cannot hold what it was given, and will not however often it is tried.</summary>
    public static bool IsOfData(Exception e) => KindOf(e) == FaultKind.Data;

    /// <summary>
    /// What the session has not outlived may have happened: the end of a server can come after the commit and before
    /// its answer.
    /// </summary>
    private static FaultKind KindOf(PostgresException e)
    {
        var kind = KindOf(e.SqlState);
        return kind is FaultKind.RolledBack or FaultKind.Unfit && e.InvariantSeverity is "FATAL" or "PANIC"
            ? FaultKind.Connection
            : kind;
    }
}
