using System.Globalization;
using System.Runtime.ExceptionServices;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Where tasks are, for the messages of faults: server, database and schema. Exceptions of the driver say only what
/// happened. They keep their types, codes and stacks here, since callers and <see cref="Faults"/> look at these.
/// </summary>
internal sealed class Place(string connectionString, string schema)
{
    private string? _text;

    // Faults alone ask for it, and to take a connection string apart costs more than the rest of a call.
    public override string ToString() =>
        _text ??= Describe(new NpgsqlConnectionStringBuilder(connectionString), schema);

    /// <summary>True for a fault of the driver that does not name the place yet.</summary>
    public bool IsWanted(Exception e) =>
        e is NpgsqlException && !e.Message.Contains(ToString(), StringComparison.Ordinal);

    /// <summary>The same fault, with the place.</summary>
    public Exception Located(Exception e)
    {
        if (e is not PostgresException server)
        {
            return new NpgsqlException($"{e.Message} ({this})", e);
        }

        // This type has no place for an inner exception, so that all that the first one knows is copied.
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

    /// <summary>A host of a list may have its own port, and a folder of sockets has none.</summary>
    private static string ServerOf(string host, int port) =>
        host.Contains(':', StringComparison.Ordinal) || host.StartsWith('/')
        ? host
        : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
}
