using System.Data.Common;
using Kaiju.Tasks.Tests.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Tests.Callers;

/// <summary>
/// After its host's disposal every call of the client throws an error that names the caller's operation.
/// </summary>
public abstract class DisposedClientTests
{
    public static TheoryData<string> Members => ClientMembers.Names;

    [Theory]
    [MemberData(nameof(Members))]
    public async Task A_call_after_the_disposal_of_its_host_fails_with_that_reason(string member)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        UseStore(builder.Services.AddKaijuTasks().AddCommand("do", () => 1));
        var host = builder.Build();
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        host.Dispose();

        await ThrowsStoppedAsync(client, member);
    }

    [Theory]
    [MemberData(nameof(Members))]
    public async Task A_call_after_the_disposal_of_its_service_provider_fails_with_that_reason(string member)
    {
        var services = new ServiceCollection().AddLogging();
        UseStore(services.AddKaijuTasks().AddCommand("do", () => 1));
        var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<ITaskClient>();
        await client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] });
        await provider.DisposeAsync();

        await ThrowsStoppedAsync(client, member);
    }

    [Theory]
    [InlineData("stop")]
    [InlineData("dispose")]
    [InlineData("stop, dispose")]
    public async Task A_pending_wait_ends_with_its_host(string end)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        UseStore(builder.Services.AddKaijuTasks().AddCommand("do", () => 1));
        using var host = builder.Build();
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });
        var waiting = client.WaitAsync("t");

        if (end.StartsWith("stop", StringComparison.Ordinal))
        {
            await host.StopAsync();
        }

        if (end.EndsWith("dispose", StringComparison.Ordinal))
        {
            host.Dispose();
        }

        var stopped = await waiting.Awaiting(wait => wait.WaitAsync(TimeSpan.FromSeconds(30))).Should()
            .ThrowAsync<TaskHostStoppedException>();
        stopped.Which.Message.Should().Be(
            "WaitAsync of task \"t\": the host has stopped or was disposed of. Nothing was changed; the task "
                + "continues without this host.");
    }

    /// <summary>Registers the store; each test has an empty one.</summary>
    protected abstract void UseStore(KaijuTasksBuilder tasks);

    /// <summary>Begins a transaction in the database of the store; null if it has none.</summary>
    protected virtual DbTransaction? BeginTransaction() => null;

    private async Task ThrowsStoppedAsync(ITaskClient client, string member)
    {
        using var transaction = BeginTransaction();
        var call = FluentActions.Awaiting(() => client.BeginCall(member, transaction));
        if (transaction is null
            && ClientMembers.JoinsTransaction(member))
        {
            await call.Should().ThrowAsync<NotSupportedException>();
            return;
        }

        (await call.Should().ThrowAsync<TaskHostStoppedException>()).Which.Message.Should().Be(
            $"{ClientMembers.Operation(member)}: the host has stopped or was disposed of. Nothing was changed; the "
                + $"task continues without this host.");
    }
}
