using System.Globalization;
using Kaiju.Tasks.TestServers;

namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>
/// The stores of measurements: one server for a whole run, and for each measurement an empty database or file.
/// </summary>
internal sealed class Stores : IAsyncDisposable
{
    /// <summary>Settings beside the server's defaults, which have full durability.</summary>
    private static readonly string[] _settings = [
        "shared_buffers=512MB", "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=none"];

    private readonly PostgresServer _server;
    private readonly string _folder = Directory.CreateTempSubdirectory("kaiju-bench-").FullName;
    private readonly List<string[]> _left = [];
    private int _files;

    private Stores(PostgresServer server) => _server = server;

    /// <summary>The server's first process; 0 if it is on another machine.</summary>
    public int ServerProcess => _server.ProcessId ?? 0;

    public static async Task<Stores> OpenAsync() => new(await PostgresServer.StartAsync(_settings));

    /// <summary>The kind of store of a subject: memory, sqlite or postgresql.</summary>
    public static string KindOf(string subject) => subject[(subject.IndexOf('-', StringComparison.Ordinal) + 1)..];

    /// <summary>An empty store of a kind, as arguments of probes.</summary>
    public async Task<string[]> NewAsync(string kind)
    {
        foreach (var place in _left)
        {
            await DropAsync(place);
        }

        _left.Clear();
        switch (kind)
        {
            case "memory":
                return [];
            case "sqlite":
                return [
                    "--store", Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{++_files}.db"))];
        }

        var database = await _server.CreateDatabaseAsync("bench");
        await _server.ExecuteAsync("postgres", "checkpoint");
        return [
            "--store",
            _server.ConnectionString(database),
            "--server",
            ServerProcess.ToString(CultureInfo.InvariantCulture)];
    }

    /// <summary>
    /// Deletes a store that is no longer needed before the next one is created. Otherwise the two would share the disk
    /// and the vacuum.
    /// </summary>
    public void Leave(string[] place) => _left.Add(place);

    private async Task DropAsync(string[] place)
    {
        if (place is [_, var store, "--server", _])
        {
            var database = new Npgsql.NpgsqlConnectionStringBuilder(store).Database;
            await _server.ExecuteAsync("postgres", $"drop database \"{database}\" with (force)");
        }
        else if (place is [_, var file])
        {
            foreach (var part in Directory.EnumerateFiles(_folder, Path.GetFileName(file) + "*"))
            {
                File.Delete(part);
            }
        }
    }

    public async Task<string> ServerVersionAsync() =>
        await Probes.Machine.AskAsync<string>(_server.ConnectionString("postgres"), "show server_version");

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
