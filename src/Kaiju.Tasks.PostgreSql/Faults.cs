using System.Net.Sockets;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>Which faults go away when one tries again, and what they say about whether the step has happened.</summary>
internal static class Faults
{
    /// <summary>The server has taken everything back: a serialisation failure, a deadlock.</summary>
    public static bool IsRolledBack(Exception e) => e is PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected };

    /// <summary>
    /// The connection or the server is gone or has no room (08…, 53…, 57P…). Before the commit nothing has happened; during it nobody knows.
    /// </summary>
    public static bool IsOfConnection(Exception e) => e switch
    {
        PostgresException { SqlState: var state } => state.StartsWith("08", StringComparison.Ordinal)
            || state.StartsWith("53", StringComparison.Ordinal)
            || state is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow,
        NpgsqlException => true,
        _ => e is IOException or SocketException or TimeoutException || (e is ObjectDisposedException or InvalidOperationException && e.Source == "Npgsql"),
    };

    /// <summary>The server cannot hold what it was given, and will not however often it is tried.</summary>
    public static bool IsOfData(Exception e) => e is PostgresException { SqlState: var state }
        && (state.StartsWith("22", StringComparison.Ordinal) || state.StartsWith("23", StringComparison.Ordinal) || state.StartsWith("54", StringComparison.Ordinal));
}
