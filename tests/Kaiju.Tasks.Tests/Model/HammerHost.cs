using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Queueing.Memory;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Model;

/// <summary>
/// One host with its loops on real time over a shared store. Faults are injected between the loops and the store; the
/// client is exempt.
/// </summary>
internal sealed class HammerHost : IAsyncDisposable
{
    public const int Capacity = 4;
    public static readonly TimeSpan StopTimeout = TimeSpan.FromMilliseconds(300);
    public static readonly TimeSpan StopCancelTimeout = TimeSpan.FromMilliseconds(200);

    private readonly ServiceProvider _engine;
    private readonly ServiceProvider _clients;
    private readonly List<IHostedService> _running;

    public HammerHost(MemoryTaskStore shared, HammerWork work, Faults faults, TaskRoles roles, bool hangs = false)
    {
        var queue = new MemoryTaskQueue(shared, TimeProvider.System);
        var port = hangs ? new HangingPort(shared, queue, faults) : new FaultyPort(shared, queue, faults);
        _engine = Services(port, port, work, roles);
        _clients = Services(shared, queue, work, TaskRoles.Client);
        Client = _clients.GetRequiredService<ITaskClient>();
        _running = HostedServices.Start(_engine);
    }

    public RecordedLogs Logs { get; } = new();

    public ITaskClient Client { get; }

    public Task StopAsync() => HostedServices.StopAsync(_running);

    public async ValueTask DisposeAsync()
    {
        await StopAsync().Soon();
        await _engine.DisposeAsync();
        await _clients.DisposeAsync();
    }

    private ServiceProvider Services(ITaskStore store, ITaskQueue queue, HammerWork work, TaskRoles roles)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning).AddProvider(Logs));
        services.AddSingleton(store);
        services.AddSingleton(queue);
        services.AddKaijuTasks(options =>
        {
            options.Roles = roles;
            options.Capacity = Capacity;
            options.PollInterval = TimeSpan.FromMilliseconds(10);
            options.MaxFaultDelay = TimeSpan.FromMilliseconds(100);
            options.ClaimCheckInterval = TimeSpan.FromMilliseconds(100);
            options.StopTimeout = StopTimeout;
            options.StopCancelTimeout = StopCancelTimeout;
            options.StackTraces = false;
        }).AddCommand("work",
        work.Work).AddCommand("flaky",
        work.Flaky).AddCommand("stubborn",
        work.StubbornAsync).AddCommand("patient",
        work.PatientAsync);
        return services.BuildServiceProvider();
    }
}

/// <summary>Selects a share of the calls to fail, from a seed.</summary>
internal sealed class Faults(int seed, double share)
{
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();
    private double _share = share;

    public double Share
    {
        set
        {
            lock (_lock)
            {
                _share = value;
            }
        }
    }

    public bool Next()
    {
        lock (_lock)
        {
            return _random.NextDouble() < _share;
        }
    }
}

/// <summary>
/// The store and its queue, with injected faults: before the step, or after it, so that the answer is lost.
/// </summary>
internal class FaultyPort(ITaskStore store, ITaskQueue queue, Faults faults) : DecoratedStore(store), ITaskQueue
{
    public ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) =>
        queue.PublishAsync(tasks, cancellationToken);

    public virtual ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ClaimRequest request, CancellationToken cancellationToken) =>
        Call("Claim", () => queue.ClaimAsync(request, cancellationToken));

    public ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken) =>
        queue.WaitAsync(executor, timeout, cancellationToken);

    protected override async ValueTask<T> Call<T>(string member, Func<ValueTask<T>> pass)
    {
        if (faults.Next())
        {
            throw new IOException($"{member} did not get through.");
        }

        var answer = await pass();
        return faults.Next() ? throw new IOException($"The answer of {member} is lost.") : answer;
    }
}

/// <summary>
/// The same, but failing calls never return, as with a server that is gone: only their cancellation ends them.
/// </summary>
internal sealed class HangingPort(
    ITaskStore store, ITaskQueue queue, Faults faults) : FaultyPort(store, queue, new Faults(0, 0))
{
    public override ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ClaimRequest request, CancellationToken cancellationToken) =>
        Ask(base.ClaimAsync, request, cancellationToken);

    public override ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(
        IReadOnlyList<StageReport> reports, CancellationToken cancellationToken) =>
        Ask(base.RecordAsync, reports, cancellationToken);

    public override ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
        ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Ask((held, token) => base.HeartbeatAsync(executor, held, token), claims, cancellationToken);

    public override ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        Ask(base.FindLostClaimsAsync, claims, cancellationToken);

    public override ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(
        string executorId, CancellationToken cancellationToken) =>
        Ask(base.SuspendExecutorAsync, executorId, cancellationToken);

    public override ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(
        DateTimeOffset? asOf, int limit, CancellationToken cancellationToken) =>
        Ask((most, token) => base.ExpelDeadExecutorsAsync(asOf, most, token), limit, cancellationToken);

    private async ValueTask<T> Ask<TAsked, T>(
        Func<TAsked, CancellationToken, ValueTask<T>> pass, TAsked asked, CancellationToken cancellationToken)
    {
        if (faults.Next())
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        return await pass(asked, cancellationToken);
    }
}
