using System.Data.Common;
using System.Transactions;
using Kaiju.Tasks.Tests.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Callers;

/// <summary>The ways in which a scope can surround a call.</summary>
public enum Surrounding
{
    /// <summary>The scope follows the call to other threads.</summary>
    Flowing,

    /// <summary>The scope belongs to the thread, which the call blocks.</summary>
    OfThread,

    /// <summary>The scope is complete but not disposed, so the ambient transaction must not even be read.</summary>
    Complete,
}

/// <summary>
/// Every call of the client is independent of an ambient transaction: it succeeds, and its effect stays.
/// </summary>
public abstract class AmbientTransactionTests : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    private readonly WarningLog _log = new();

    public static TheoryData<string, Surrounding> Calls
    {
        get
        {
            var calls = new TheoryData<string, Surrounding>();
            foreach (var member in ClientMembers.All.Select(ClientMembers.NameOf))
            {
                calls.Add(member, Surrounding.Flowing);
                calls.Add(member, Surrounding.OfThread);
                calls.Add(member, Surrounding.Complete);
            }

            return calls;
        }
    }

    public virtual void Dispose()
    {
        _log.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_call_in_a_scope_that_is_rolled_back_succeeds_at_once_and_its_effect_stays(
        string member, Surrounding surrounding)
    {
        using var host = NewHost(TaskRoles.Client);
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        if (!ClientMembers.Creates(member))
        {
            await client.CreateAsync(Definition("t"));
        }

        if (member.StartsWith(nameof(ITaskClient.WaitAsync), StringComparison.Ordinal))
        {
            await client.CancelAsync("t");
        }

        // The explicit way to join: a transaction of the caller that does not belong to the scope.
        using var transaction = BeginTransaction();
        var inside = surrounding == Surrounding.Flowing
            ? await SurroundAsync(client, member, transaction)
            : Surround(client, member, transaction, surrounding == Surrounding.Complete);

        (await ShownAsync(client)).Should().Be(inside, "nothing of it was rolled back");
        transaction?.Commit();
        if (ClientMembers.Creates(member) && !IsUnsupported(member, transaction))
        {
            (await client.GetAsync("t")).Should().NotBeNull();
        }

        await host.StopAsync();
        _log.Lines.Should().BeEmpty("no step was tried again");
    }

    [Fact]
    public async Task A_store_that_is_first_used_in_a_scope_works_after_it()
    {
        using var host = NewHost(TaskRoles.Client);
        var client = host.Services.GetRequiredService<ITaskClient>();
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await client.CreateAsync(Definition("t"));
        }

        (await client.GetAsync("t")).Should().NotBeNull();
        await client.CreateAsync(Definition("u"));
        _log.Lines.Should().BeEmpty();
    }

    [Fact]
    public async Task A_host_that_is_started_in_a_scope_runs_tasks_in_it_and_after_it()
    {
        using var host = NewHost(TaskRoles.All);
        var client = host.Services.GetRequiredService<ITaskClient>();
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await host.StartAsync();
            await client.CreateAsync(Definition("t"));
            (await client.WaitAsync("t").WaitAsync(_bound)).State.Should().Be(TaskState.Finished);
        }

        await client.CreateAsync(Definition("u"));
        (await client.WaitAsync("u").WaitAsync(_bound)).State.Should().Be(TaskState.Finished);
        (await client.GetAsync("t")).Should().NotBeNull();
        await host.StopAsync();
        _log.Lines.Should().BeEmpty();
    }

    [Fact]
    public async Task A_handler_may_create_a_task_in_a_scope()
    {
        using var host = NewHost(TaskRoles.All, tasks => tasks.AddCommand("create", async (ITaskClient client) =>
        {
            using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
            await client.CreateAsync(Definition("u"));
        }));
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITaskClient>();
        await client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("create")] });

        (await client.WaitAsync("t").WaitAsync(_bound)).State.Should().Be(TaskState.Finished);
        (await client.WaitAsync("u").WaitAsync(_bound)).State.Should().Be(TaskState.Finished);
        await host.StopAsync();
        _log.Lines.Should().BeEmpty();
    }

    /// <summary>Registers the store; each test has an empty one.</summary>
    protected abstract void UseStore(KaijuTasksBuilder tasks);

    /// <summary>Begins a transaction in the database of the store; null if it has none.</summary>
    protected virtual DbTransaction? BeginTransaction() => null;

    private static bool IsUnsupported(string member, DbTransaction? transaction) =>
        transaction is null
            && ClientMembers.JoinsTransaction(member);

    private static async Task<string> SurroundAsync(ITaskClient client, string member, DbTransaction? transaction)
    {
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await CallAsync(client, member, transaction).WaitAsync(_bound);
        var shown = await ShownAsync(client);
        Transaction.Current.Should().NotBeNull("the scope is still the caller's");
        return shown;
    }

    private static string Surround(ITaskClient client, string member, DbTransaction? transaction, bool isComplete)
    {
        using var scope = new TransactionScope();
        if (isComplete)
        {
            scope.Complete();
        }

        CallAsync(client, member, transaction).Wait(_bound).Should().BeTrue();
        return ShownAsync(client).GetAwaiter().GetResult();
    }

    private static async Task CallAsync(ITaskClient client, string member, DbTransaction? transaction)
    {
        try
        {
            await client.BeginCall(member, transaction).ConfigureAwait(false);
        }
        catch (NotSupportedException) when (IsUnsupported(member, transaction))
        {
            // A store without transactions refuses the call.
        }
    }

    private static async Task<string> ShownAsync(ITaskClient client) =>
        await client.GetAsync("t").ConfigureAwait(false) is { } task
            ? $"{task.State} {task.Revision} {task.JobId} {task.Definition.Enabled}"
            : "none";

    private static TaskDefinition Definition(string id) => new() { Id = id, Commands = [new("do")] };

    private IHost NewHost(TaskRoles roles, Action<KaijuTasksBuilder>? build = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(_log);
        var tasks = builder.Services.AddKaijuTasks(options => options.Roles = roles).AddCommand("do", () => 1);
        UseStore(tasks);
        build?.Invoke(tasks);
        return builder.Build();
    }
}
