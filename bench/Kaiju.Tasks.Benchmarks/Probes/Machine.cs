using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Kaiju.Tasks.Benchmarks.Probes;

/// <summary>Counters of the system for processes, and of the server for its writes.</summary>
internal static class Machine
{
    private const double TicksPerSecond = 100;

    public static double OwnCpuSeconds()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>The peak memory of this process, in MB.</summary>
    public static double PeakMegabytes()
    {
        var line = File.ReadLines("/proc/self/status").First(
            line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>
    /// CPU seconds of a server: its first process, the living children, and the children that have ended.
    /// </summary>
    public static double ServerCpuSeconds(int first)
    {
        var ticks = 0L;
        foreach (var folder in first == 0 ? [] : Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(
                Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process))
            {
                continue;
            }

            try
            {
                // After the name, which stands in brackets and may hold anything: state, parent, …, and as 12th to 15th
                // the times.
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var words = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                var own = Ticks(words[11]) + Ticks(words[12]);
                ticks += process == first
                    ? own + Ticks(words[13]) + Ticks(words[14])
                    : Ticks(words[1]) == first ? own : 0;
            }
            catch (IOException)
            {
                // The process has ended in the meantime.
            }
        }

        return ticks / TicksPerSecond;
    }

    public static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            ?.Split(':')[1].Trim() ?? "unknown";

    public static async Task<T> AskAsync<T>(string store, string sql) => (T)(await ExecuteAsync(store, sql))!;

    public static async Task<object?> ExecuteAsync(string store, string sql)
    {
        await using var connection = new NpgsqlConnection($"{store};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        return await command.ExecuteScalarAsync();
    }

    private static long Ticks(string word) => long.Parse(word, CultureInfo.InvariantCulture);
}

/// <summary>The use since a moment: time, CPU of this process and of the server, WAL, allocations.</summary>
internal sealed class Usage
{
    private readonly string _store;
    private readonly int _server;
    private readonly bool _hasWal;
    private readonly double _cpu;
    private readonly double _serverCpu;
    private readonly long _allocated;
    private readonly TimeSpan _paused = GC.GetTotalPauseDuration();
    private readonly long _wal;
    private readonly long _began;

    private Usage(string store, int server, bool hasWal, long wal)
    {
        (_store, _server, _hasWal, _wal) = (store, server, hasWal, wal);
        (_cpu, _serverCpu, _allocated) = (
            Machine.OwnCpuSeconds(), Machine.ServerCpuSeconds(server), GC.GetTotalAllocatedBytes(true));
        _began = TimeProvider.System.GetTimestamp();
    }

    public double Seconds => TimeProvider.System.GetElapsedTime(_began).TotalSeconds;

    public static async Task<Usage> BeginAsync(Arguments arguments)
    {
        var (store, server) = (arguments.Text("store"), arguments.Number("server"));
        return new Usage(store, server, server > 0, server > 0 ? await WalAsync(store) : 0);
    }

    /// <summary>Records the cost of a number of jobs; the rate is that of <paramref name="seconds"/>.</summary>
    public async Task NoteAsync(Dictionary<string, double> figures, string work, int jobs, double seconds)
    {
        figures[$"{work}_per_s"] = jobs / seconds;
        figures[$"{work}_cpu_us"] = (Machine.OwnCpuSeconds() - _cpu) * 1e6 / jobs;
        figures[$"{work}_allocated"] = (GC.GetTotalAllocatedBytes(true) - _allocated) / (double)jobs;
        figures[$"{work}_gc_pause_share"] = (GC.GetTotalPauseDuration() - _paused).TotalSeconds / seconds;
        if (_hasWal)
        {
            figures[$"{work}_server_us"] = (Machine.ServerCpuSeconds(_server) - _serverCpu) * 1e6 / jobs;
            figures[$"{work}_wal"] = (await WalAsync(_store) - _wal) / (double)jobs;
        }
    }

    private static Task<long> WalAsync(string store) =>
        Machine.AskAsync<long>(store, "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint");
}
