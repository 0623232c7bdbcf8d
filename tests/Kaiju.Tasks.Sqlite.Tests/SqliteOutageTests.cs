using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using SQLitePCL;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>
/// A file that is not writable for a while: with default options work resumes within five seconds of its return.
/// </summary>
[Collection(Alone.Name)]
public sealed class SqliteOutageTests : IDisposable
{
    private static readonly TimeSpan _outage = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan _return = TimeSpan.FromSeconds(5);

    private readonly FaultyFile _file = new();

    public void Dispose() => _file.Dispose();

    [Theory]
    [InlineData(raw.SQLITE_READONLY)]
    [InlineData(raw.SQLITE_FULL)]
    [InlineData(raw.SQLITE_IOERR)]
    [InlineData(raw.SQLITE_CANTOPEN)]
    public async Task Work_resumes_within_five_seconds_once_a_file_can_be_written_again(int code)
    {
        using var host = NewHost();
        await StartWorkAsync(host);

        (_file.Code, _file.IsDown) = (code, true);
        await Task.Delay(_outage);
        if (Faults.KindOf(code) == FaultKind.Connection)
        {
            // Connections opened so far stay unfit for ever.
            _file.SpoilOpenConnections();
        }

        _file.IsDown = false;

        await EndsInTimeAsync(host);
    }

    [Fact]
    public async Task Work_resumes_within_five_seconds_once_a_file_is_unlocked()
    {
        using var host = NewHost();
        await StartWorkAsync(host);

        using (var other = _file.Open())
        using (var command = other.CreateCommand())
        {
            command.CommandText = "begin immediate";
            command.ExecuteNonQuery();
            await Task.Delay(_outage);
            command.CommandText = "rollback";
            command.ExecuteNonQuery();
        }

        await EndsInTimeAsync(host);
    }

    private IHost NewHost()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<Func<string, string>>(FaultyFile.ChangeSql);
        builder.Services.AddKaijuTasks()
            .UseSqlite(
                _file.Options.ConnectionString,
                options =>
                    (options.Opened, options.BusyTimeout) = (_file.Options.Opened, TimeSpan.FromMilliseconds(300)))
            .AddCommand("do", () => Task.Delay(50));
        return builder.Build();
    }

    /// <summary>Sixteen concurrent tasks, with stages for two seconds.</summary>
    private static async Task StartWorkAsync(IHost host)
    {
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.CreateManyAsync(
            [.. Enumerable.Range(0, 16).Select(
                i => new TaskDefinition
                {
                    Id = $"t{i}",
                    Commands = [.. Enumerable.Repeat(new TaskCommand("do"), 40)],
                })]);
    }

    private static async Task EndsInTimeAsync(IHost host)
    {
        var back = Stopwatch.StartNew();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.CreateAsync(new TaskDefinition { Id = "new", Commands = [new("do")] });

        // Some of their stages have not run yet.
        var runs = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => client.WaitAsync($"t{i}")))
            .WaitAsync(TimeSpan.FromSeconds(60));
        back.Elapsed.Should().BeLessThan(_return + TimeSpan.FromSeconds(2));
        runs.Should().OnlyContain(run => run.State == TaskState.Finished && run.Retries == 0);
        (await client.WaitAsync("new").WaitAsync(TimeSpan.FromSeconds(60))).State.Should().Be(TaskState.Finished);
        await host.StopAsync();
    }
}
