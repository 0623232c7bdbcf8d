using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Kaiju.Tasks.TestServers;

/// <summary>
/// A PgBouncer in transaction mode before a server: a session keeps nothing from one transaction to the next.
/// </summary>
public sealed class PgBouncer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly PostgresServer _server;
    private readonly int _port;

    private PgBouncer(Process process, PostgresServer server, int port) =>
        (_process, _server, _port) = (process, server, port);

    public static async Task<PgBouncer> StartAsync(PostgresServer server)
    {
        var behind = new NpgsqlConnectionStringBuilder(server.ConnectionString("postgres"));
        var folder = Programs.NewFolder("pgbouncer");
        var port = Programs.FreePort();
        await File.WriteAllTextAsync(
            Path.Combine(folder, "users.txt"), $"\"{behind.Username}\" \"{behind.Password}\"\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "pgbouncer.ini"), string.Create(
            CultureInfo.InvariantCulture,
            $"""
            [databases]
            * = host={behind.Host} port={behind.Port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            pidfile = {folder}/pid
            auth_type = trust
            auth_file = {folder}/users.txt
            pool_mode = transaction
            max_client_conn = 500
            default_pool_size = 5
            ignore_startup_parameters = extra_float_digits
            """));
        var bouncer = new PgBouncer(
            Programs.Start(
                Programs.Find("pgbouncer", "/usr/sbin"),
                folder,
                Path.Combine(folder, "server.log"),
                Path.Combine(folder, "pgbouncer.ini")),
            server,
            port);
        Programs.EndAfterUs(folder, Path.Combine(folder, "pid"));
        for (var tries = 0; ; tries++)
        {
            try
            {
                await using var connection = new NpgsqlConnection(
                    bouncer.ConnectionString("postgres", "Pooling=false"));
                await connection.OpenAsync();
                return bouncer;
            }
            catch (NpgsqlException) when (tries < 500 && !bouncer._process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }

    /// <summary>A connection string for a database through the bouncer.</summary>
    public string ConnectionString(string database, string settings = "") =>
        new NpgsqlConnectionStringBuilder(_server.ConnectionString(database, settings))
        {
            Host = "127.0.0.1",
            Port = _port,
            NoResetOnClose = true,
        }.ToString();

    public ValueTask DisposeAsync()
    {
        Stop();
        return default;
    }

    private void Stop()
    {
        if (!_process.HasExited)
        {
            Programs.Kill(_process.Id);
        }
    }
}
