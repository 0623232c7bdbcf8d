using System.Globalization;
using System.Runtime.ExceptionServices;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// The place of the tasks, for error messages: server, database and schema. The driver's exceptions only say what
/// happened. They keep their types, codes and stacks, since callers and <see cref="Faults"/> depend on these.
/// </summary>
internal sealed class Place(string connectionString, string schema)
{
    private string? _text;

    // Computed only for faults: parsing a connection string costs more than the rest of a call.
    public override string ToString() =>
        _text ??= Describe(new NpgsqlConnectionStringBuilder(connectionString), schema);

    /// <summary>True for an exception of the driver that does not name the place yet.</summary>
    public bool IsWanted(Exception e) =>
        e is NpgsqlException && !e.Message.Contains(ToString(), StringComparison.Ordinal);

    /// <summary>Creates the same exception with the place in its message.</summary>
    public Exception Located(Exception e)
    {
        if (e is not PostgresException server)
        {
            return new NpgsqlException($"{e.Message} ({this})", e);
        }

        // PostgresException has no constructor with an inner exception, so all members of the original are copied.
        var located = new PostgresException(
            $"{server.MessageText} ({this})",
            server.Severity,
            server.InvariantSeverity,
            server.SqlState,
            server.Detail,
            server.Hint,
            server.Position,
            server.InternalPosition,
            server.InternalQuery,
            server.Where,
            server.SchemaName,
            server.TableName,
            server.ColumnName,
            server.DataTypeName,
            server.ConstraintName,
            server.File,
            server.Line,
            server.Routine);
        return e.StackTrace is { } trace ? ExceptionDispatchInfo.SetRemoteStackTrace(located, trace) : located;
    }

    private static string Describe(NpgsqlConnectionStringBuilder text, string schema)
    {
        var servers = (text.Host
            ?? "").Split(',', StringSplitOptions.TrimEntries).Select(host => ServerOf(host, text.Port));
        var database = (text.Database ?? text.Username) is { } name ? $", database \"{name}\"" : "";
        return $"PostgreSQL at {string.Join(", ", servers)}{database}, schema \"{schema}\"";
    }

    /// <summary>
    /// The text of a server: a host of a list may have its own port, and a socket directory has none.
    /// </summary>
    private static string ServerOf(string host, int port) =>
        host.Contains(':', StringComparison.Ordinal) || host.StartsWith('/')
        ? host
        : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
}
