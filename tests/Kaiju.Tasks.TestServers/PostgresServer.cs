using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Kaiju.Tasks.TestServers;

/// <summary>
/// A PostgreSQL server for the tests, unprivileged, on a free port of this machine, with default settings; or the
/// server that the connection string in KAIJU_TEST_POSTGRES names.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Variable = "KAIJU_TEST_POSTGRES";

    private readonly string? _folder;
    private readonly string _connectionString;
    private readonly string[] _settings;
    private Process? _process;

    private PostgresServer(string connectionString, string? folder, string[] settings) =>
        (_connectionString, _folder, _settings) = (connectionString, folder, settings);

    /// <summary>The server's process, to be killed; none if the server is external.</summary>
    public int? ProcessId => _process?.Id;

    public int Port => new NpgsqlConnectionStringBuilder(_connectionString).Port;

    /// <summary>Starts a server.</summary>
    /// <param name="settings">
    /// Settings beside the defaults, each <c>name=value</c>. An external server keeps its own.
    /// </param>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
        {
            return new PostgresServer(given, null, settings);
        }

        var folder = Programs.NewFolder("postgres");
        Programs.Run(
            Find("initdb"),
            folder,
            "--pgdata",
            Data(folder),
            "--username",
            "kaiju",
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "--no-sync");
        for (var tries = 0; ; tries++)
        {
            var port = Programs.FreePort();
            var server = new PostgresServer(
                $"Host=127.0.0.1;Port={port};Username=kaiju;Database=postgres;Include Error Detail=true",
                folder,
                settings);
            server.Launch();
            if (await server.IsUpAsync(TimeSpan.FromSeconds(60)))
            {
                Programs.EndAfterUs(folder, Path.Combine(Data(folder), "postmaster.pid"));
                return server;
            }

            server.Stop();
            if (tries == 3)
            {
                throw new InvalidOperationException(
                    $"PostgreSQL does not start: {await File.ReadAllTextAsync(Log(folder))}");
            }
        }
    }

    /// <summary>A connection string for a database, with optional further settings.</summary>
    public string ConnectionString(string database, string settings = "") =>
        new NpgsqlConnectionStringBuilder($"{_connectionString};{settings}") { Database = database }.ToString();

    /// <summary>An empty database with a name of its own.</summary>
    public async Task<string> CreateDatabaseAsync(string name)
    {
        var random = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4));
        var database = string.Create(
            CultureInfo.InvariantCulture,
            $"{name}_{Environment.ProcessId}_{random}");
        await ExecuteAsync("postgres", $"create database \"{database}\" encoding 'UTF8' template template0");
        return database;
    }

    public async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database, "Pooling=false"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Kills the server and its children, like a power failure that spares the system's file cache.</summary>
    public void Kill()
    {
        var children = ChildrenOf(ProcessId!.Value);
        Programs.Kill(ProcessId.Value);
        children.ForEach(Programs.Kill);
        _process!.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Freezes the server and its children: connections stay open and no request is answered.</summary>
    public void Freeze()
    {
        // The parent comes first, so that it starts no child in between.
        Programs.Freeze(ProcessId!.Value);
        ChildrenOf(ProcessId.Value).ForEach(Programs.Freeze);
    }

    /// <summary>Lets a frozen server continue.</summary>
    public void Thaw()
    {
        ChildrenOf(ProcessId!.Value).ForEach(Programs.Thaw);
        Programs.Thaw(ProcessId.Value);
    }

    /// <summary>Starts the server again on the same port and data.</summary>
    public void Launch()
    {
        string[] settings = [
            "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300", .. _settings];
        _process = Programs.Start(
            Find("postgres"),
            _folder!,
            Log(_folder!),
            ["-D", Data(_folder!), "-p", Port.ToString(CultureInfo.InvariantCulture), .. settings.SelectMany(
                setting => (string[])["-c", setting])]);
    }

    /// <summary>Kills one process of the server, which makes the server end all sessions and recover.</summary>
    public void KillBackend(int choice)
    {
        var children = ChildrenOf(ProcessId!.Value);
        if (children.Count > 0)
        {
            Programs.Kill(children[choice % children.Count]);
        }
    }

    public async Task<bool> IsUpAsync(TimeSpan within)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < within && _process is { HasExited: false })
        {
            try
            {
                await ExecuteAsync("postgres", "select 1");
                return true;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }

        return false;
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        return default;
    }

    private void Stop()
    {
        if (_process is not null)
        {
            // At once: the data that it would still write is not needed.
            Programs.Quit(_process.Id);
            if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
            {
                Kill();
            }

            _process?.Dispose();
            _process = null;
        }

        if (_folder is not null && Directory.Exists(Data(_folder))
            && !File.Exists(Path.Combine(Data(_folder), "postmaster.pid")))
        {
            Directory.Delete(Data(_folder), recursive: true);
        }
    }

    private static List<int> ChildrenOf(int process)
    {
        var children = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && ParentOf(folder) == process)
            {
                children.Add(id);
            }
        }

        return children;
    }

    private static int ParentOf(string folder)
    {
        try
        {
            // After the name, which stands in brackets and may hold anything: the state, then the parent.
            var text = File.ReadAllText(Path.Combine(folder, "stat"));
            return int.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static string Find(string program)
    {
        const string Folder = "/usr/lib/postgresql";
        string[] folders = Directory.Exists(Folder)
            ? [
                .. Directory.EnumerateDirectories(Folder).OrderByDescending(version => version, StringComparer.Ordinal)
                    .Select(version => Path.Combine(version, "bin"))]
            : [];
        return Programs.Find(program, folders);
    }

    private static string Data(string folder) => Path.Combine(folder, "data");

    private static string Log(string folder) => Path.Combine(folder, "server.log");
}
