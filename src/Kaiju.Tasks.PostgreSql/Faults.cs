using System.Collections.Frozen;
using System.Net.Sockets;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>Sorts faults by whether a retry may overcome them, and by whether the step may have happened.</summary>
internal static class Faults
{
    // Every class of SQLSTATE, and the codes that differ from their class. docs/operations.md shows the same table; a
    // test compares them.
    private static readonly FrozenDictionary<string, FaultKind> _kinds = new Dictionary<string, FaultKind>
    {
        // Successes and warnings, which are not faults; statements that are never right.
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

        // The session is lost, or the pooler in between has lost it.
        ["08"] = FaultKind.Connection,

        // Prepared statements and portals: the session lost them, or they refer to tables that were migrated in the
        // meantime.
        ["0A"] = FaultKind.Unfit,
        ["26"] = FaultKind.Unfit,
        ["34"] = FaultKind.Unfit,
        ["42P05"] = FaultKind.Unfit,

        // Values, and rules on the tables: constraints, and other parties' triggers and functions.
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

        // Read-only: a server that gives way to another one, or that an operator has closed for a while. The last two
        // end the session.
        ["25"] = FaultKind.Permanent,
        [PostgresErrorCodes.ReadOnlySqlTransaction] = FaultKind.Unfit,
        ["25P03"] = FaultKind.Connection,
        ["25P04"] = FaultKind.Connection,

        // Authentication and authorisation; names and statements.
        ["28"] = FaultKind.Permanent,
        ["3D"] = FaultKind.Permanent,
        ["3F"] = FaultKind.Permanent,
        ["42"] = FaultKind.Permanent,
        ["HV"] = FaultKind.Permanent,

        // Serialisation failures and deadlocks.
        ["40"] = FaultKind.RolledBack,
        [PostgresErrorCodes.StatementCompletionUnknown] = FaultKind.Connection,
        ["72"] = FaultKind.RolledBack,

        // Out of memory, disk or connections, not ready yet, wrong server. Npgsql closes a session after 53, 58, F0 or
        // XX.
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

        // An operator or a server timeout ends the statement or the session.
        ["57"] = FaultKind.Unfit,
        [PostgresErrorCodes.QueryCanceled] = FaultKind.RolledBack,
        [PostgresErrorCodes.AdminShutdown] = FaultKind.Connection,
        [PostgresErrorCodes.CrashShutdown] = FaultKind.Connection,
        [PostgresErrorCodes.CannotConnectNow] = FaultKind.Connection,
        [PostgresErrorCodes.DatabaseDropped] = FaultKind.Connection,
        [PostgresErrorCodes.IdleSessionTimeout] = FaultKind.Connection,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// The kind of a code or of its class; codes that only a fork of PostgreSQL knows are
    /// <see cref="FaultKind.Permanent"/>.
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

    /// <summary>True if nothing has happened and a retry may succeed: a deadlock, or an unfit session.</summary>
    public static bool IsRolledBack(Exception e) => KindOf(e) is FaultKind.RolledBack or FaultKind.Unfit;

    /// <summary>True if nothing has happened or the outcome is unknown, and a retry may succeed.</summary>
    public static bool IsRolledBackOrLost(Exception e) =>
        KindOf(e) is FaultKind.RolledBack or FaultKind.Unfit or FaultKind.Connection;

    /// <summary>
    /// True if the connection or the server is lost. Before the commit nothing has happened; during it the outcome is
    /// unknown.
    /// </summary>
    public static bool IsOfConnection(Exception e) => KindOf(e) == FaultKind.Connection;

    /// <summary>True if the session must not be used again, although it is open. See docs/decisions/0012.</summary>
    public static bool IsUnfit(Exception e) => KindOf(e) == FaultKind.Unfit;

    /// <summary>
    /// True if another transaction held a row, an id or a table for longer than <see cref="LockTimeout"/>. Nothing has
    /// happened, even if a commit reports it: commits that notify wait for each other before they take effect.
    /// </summary>
    public static bool IsHeld(Exception e) => KindOf(e) == FaultKind.Locked;

    /// <summary>True if a retry may succeed, and does no harm if the first try did.</summary>
    public static bool IsPassing(Exception e) =>
        KindOf(e) is FaultKind.RolledBack or FaultKind.Unfit or FaultKind.Locked or FaultKind.Connection;

    /// <summary>
    /// True if the server answered a commit with an error, so that nothing was committed. A fault that ends the session
    /// during the commit does not show this.
    /// </summary>
    public static bool IsOfRefusedCommit(Exception e) =>
        e is PostgresException { InvariantSeverity: "ERROR" } && !IsOfConnection(e);

    /// <summary>True if the server can never store the given values.</summary>
    public static bool IsOfData(Exception e) => KindOf(e) == FaultKind.Data;

    /// <summary>
    /// The kind of a fault of the server. After a fault that ends the session the outcome is unknown: the server may
    /// end between the commit and its answer.
    /// </summary>
    private static FaultKind KindOf(PostgresException e)
    {
        var kind = KindOf(e.SqlState);
        return kind is FaultKind.RolledBack or FaultKind.Unfit && e.InvariantSeverity is "FATAL" or "PANIC"
            ? FaultKind.Connection
            : kind;
    }
}
