using System.Data.Common;
using Kaiju.Tasks.Tests.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Tests.Callers;

/// <summary>
/// Makes every public call from the only thread of a context, as a desktop application does. The library does not need
/// that thread, so a call may block it. An awaited call returns to it.
/// </summary>
public abstract class CallerContextTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    /// <summary>Every member of the client. A new member is called as well, or fails for a missing argument.</summary>
    public static TheoryData<string> Members => ClientMembers.Names;

    /// <summary>Registers the store; each test has an empty one.</summary>
    protected abstract void UseStore(KaijuTasksBuilder tasks);

    /// <summary>Begins a transaction in the database of the store; null if it has none.</summary>
    protected virtual DbTransaction? BeginTransaction() => null;

    [Theory]
    [MemberData(nameof(Members))]
    public void A_call_may_block_the_only_thread_of_its_caller(string member) => OneThreadContext.Block(context =>
    {
        using var host = NewHost();
        Wait(host.StartAsync());
        var client = host.Services.GetRequiredService<ITaskClient>();
        Prepare(client, member);
        Wait(CallAsync(client, member));
        Wait(host.StopAsync());
        host.Dispose();
        context.Posted.Should().Be(0, "nothing needs the caller's thread");
    });

    [Theory]
    [MemberData(nameof(Members))]
    public void An_awaited_call_returns_to_the_only_thread_of_its_caller(string member) =>
        OneThreadContext.Run(async _ =>
    {
        var thread = Environment.CurrentManagedThreadId;
        using var host = NewHost();
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        Prepare(client, member);
        await CallAsync(client, member);
        Environment.CurrentManagedThreadId.Should().Be(thread);
        await host.StopAsync();
        Environment.CurrentManagedThreadId.Should().Be(thread);
    });

    [Theory]
    [InlineData("stop, dispose")]
    [InlineData("stop, dispose asynchronously")]
    [InlineData("dispose")]
    [InlineData("dispose asynchronously")]
    [InlineData("dispose, dispose")]
    [InlineData("stop, stop, dispose")]
    public void A_host_that_runs_tasks_ends_while_its_disposal_blocks_the_only_thread(string ends) =>
        OneThreadContext.Block(context =>
    {
        var entered = new SemaphoreSlim(0);
        var host = NewHost(tasks => tasks.AddCommand("wait", (CancellationToken token) =>
        {
            entered.Release();
            return Task.Delay(Timeout.InfiniteTimeSpan, token);
        }));
        Wait(host.StartAsync());
        var client = host.Services.GetRequiredService<ITaskClient>();
        Wait(
            client.CreateManyAsync(
                [.. Enumerable.Range(0, 3).Select(
                    i => new TaskDefinition { Id = $"t{i}", Commands = [new("do"), new("wait")] })]));
        entered.Wait(_bound).Should().BeTrue();

        foreach (var end in ends.Split(", "))
        {
            switch (end)
            {
                case "stop":
                    Wait(host.StopAsync());
                    break;
                case "dispose asynchronously":
                    Wait(((IAsyncDisposable)host).DisposeAsync().AsTask());
                    break;
                default:
                    host.Dispose();
                    break;
            }
        }

        context.Posted.Should().Be(0, "nothing needs the caller's thread");
    });

    /// <summary>
    /// A control created by a handler sets a context on the pool thread, and work posted to that context never runs.
    /// </summary>
    [Fact]
    public async Task A_context_that_a_handler_leaves_on_its_thread_stops_nothing()
    {
        var dead = new DeadContext();
        using var host = NewHost(
            tasks => tasks.AddCommand("leave", () => SynchronizationContext.SetSynchronizationContext(dead)));
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();

        await client.CreateManyAsync(
            [.. Enumerable.Range(0, 50).Select(
                i => new TaskDefinition { Id = $"t{i}", Commands = [new("leave"), new("leave"), new("leave")] })]);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => client.WaitAsync($"t{i}"))).WaitAsync(_bound);

        dead.Posted.Should().Be(0);
        await host.StopAsync();
    }

    protected static void Wait(Task task) => task.Wait(_bound).Should().BeTrue("it needs no thread that is blocked");

    private async Task CallAsync(ITaskClient client, string member)
    {
        using var transaction = BeginTransaction();
        try
        {
            await client.BeginCall(member, transaction).ConfigureAwait(false);
        }
        catch (NotSupportedException) when (transaction is null)
        {
            // A store without transactions refuses the call.
        }
    }

    private static void Prepare(ITaskClient client, string member)
    {
        if (!ClientMembers.Creates(member))
        {
            Wait(client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("do")] }));
        }
    }

    private IHost NewHost(Action<KaijuTasksBuilder>? build = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var tasks = builder.Services.AddKaijuTasks(options => options.StopTimeout = TimeSpan.Zero)
            .AddCommand("do", () => 1);
        UseStore(tasks);
        build?.Invoke(tasks);
        return builder.Build();
    }

    private sealed class DeadContext : SynchronizationContext
    {
        private int _count;

        public int Posted => Volatile.Read(ref _count);

        public override void Post(SendOrPostCallback d, object? state) => Interlocked.Increment(ref _count);

        public override SynchronizationContext CreateCopy() => this;
    }
}
