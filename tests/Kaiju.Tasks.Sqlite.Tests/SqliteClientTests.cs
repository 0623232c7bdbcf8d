using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>The answers of a client when its host ends.</summary>
public sealed class SqliteClientTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_wait_ends_when_its_host_is_stopped_or_disposed(bool isStopped)
    {
        using var file = new TemporaryFile();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks().UseSqlite($"Data Source={file.Path}").AddCommand("do", () => 1);
        var host = builder.Build();
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
        var waiting = client.WaitAsync("t");

        if (isStopped)
        {
            await host.StopAsync();
            await waiting.Awaiting(wait => wait.WaitAsync(_bound)).Should().ThrowAsync<TaskHostStoppedException>();
        }

        host.Dispose();

        await waiting.Awaiting(wait => wait.WaitAsync(_bound)).Should().ThrowAsync<TaskHostStoppedException>();
    }
}
