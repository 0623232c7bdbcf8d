using System.Collections.Concurrent;
using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Two hosts side by side are replaced one by one by a version that has lost one command and has a new one, and back,
/// while tasks of all commands are created. The test does the duties of managers.
/// </summary>
public abstract class RollingDeploymentTests(OpenBareStore open) : IAsyncLifetime
{
    private const int Batch = 60;

    private static readonly TimeSpan _bound = TimeSpan.FromMinutes(1);

    // An idle executor that was woken in vain asks again after a pause on this clock.
    private static readonly TimeSpan _turn = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _pings = new KaijuTasksOptions().PingInterval;
    private static readonly string[] _methods = ["kept", "old", "new"];
    private static readonly string[][] _versions = [["kept", "old"], ["kept", "new"]];

    private readonly FakeTimeProvider _clock = new(BareStore.Start);
    private readonly Random _random = new(20240615);
    private readonly List<Deployed> _hosts = [];
    private readonly ConcurrentBag<(int Version, string Method)> _begun = [];
    private readonly ConcurrentDictionary<Guid, (string Task, int Stage, string Executor)> _putBacks = [];
    private readonly ConcurrentBag<string> _failed = [];
    private BareStore? _bare;
    private int _tasks;

    private ITaskStore Store => _bare!.Opened.Store;

    public async Task InitializeAsync()
    {
        _bare = await open(Watch);
        await AddAsync(0);
        await AddAsync(0);
    }

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        await _bare!.DisposeAsync();
    }

    [Fact]
    public async Task No_task_suffers_from_a_rolling_deployment_and_its_rollback()
    {
        await CreateAsync();
        await SettleAsync("kept", "old");

        foreach (var version in (int[])[1, 0])
        {
            for (var replaced = 0; replaced < 2; replaced++)
            {
                await Task.WhenAll(CreateAsync(), ReplaceFirstAsync(version));
                await SettleAsync(replaced == 0 ? _methods : _versions[version]);
            }

            await CreateAsync();
            await SettleAsync(_versions[version]);
            (await Store.ListExecutorsAsync(default)).Should().HaveCount(2, "an executor that stopped is forgotten");
            (await Store.RepairHoldsAsync(20, default)).Unroutable.Should().Equal(
                ("default", _versions[1 - version][1]));
            await DieWithClaimsAsync(_versions[1 - version]);
        }

        var before = _putBacks.Count;
        await AddAsync(1);
        await SettleAsync(_methods);

        (await CountAsync(new TaskQuery { State = TaskState.Finished })).Should().Be(_tasks);
        _failed.Should().BeEmpty();
        _begun.Distinct().Should().BeEquivalentTo(
            [(0, "kept"), (0, "old"), (1, "kept"), (1, "new")], "each version runs its own commands and no others");
        _putBacks.Should().NotBeEmpty("the stages of a task need both versions");
        _putBacks.Values.Should().OnlyHaveUniqueItems("no executor puts the same stage back twice");
        _putBacks.Values.GroupBy(putBack => (putBack.Task, putBack.Stage)).Should().OnlyContain(
            stage => stage.Count() == 1, "a task that was put back waits for an executor that knows its command");
        (_putBacks.Count - before).Should().BeGreaterThan(0).And.BeLessThan(_tasks);
    }

    /// <summary>Counts put-backs and failures. A step may be decided again, with the same claim.</summary>
    private Transition? Watch(
        TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset now, LifecycleRules rules)
    {
        var next = TaskLifecycle.Next(task, state, happened, now, rules);
        if (state is { Claim: { } claim, ExecutorId: { } executor } && next?.After.State == TaskState.Queued)
        {
            _putBacks[claim] = (task.Id!, state.Stage, executor);
        }

        if (next?.After.State == TaskState.Failed)
        {
            _failed.Add($"{task.Id}: {next.After.Error?.Message}");
        }

        return next;
    }

    private async Task CreateAsync()
    {
        var definitions = Enumerable.Range(_tasks, Batch).Select(i => new TaskDefinition
        {
            Id = $"t{i}",
            Priority = _random.Next(2),
            Commands = [
                .. Enumerable.Range(0, _random.Next(1, 5)).Select(_ => new TaskCommand(_methods[_random.Next(3)]))],
        }).ToList();
        _tasks += Batch;
        foreach (var definition in definitions)
        {
            await _hosts[^1].Client.CreateAsync(definition);
        }
    }

    private async Task AddAsync(int version)
    {
        var host = new Deployed(_bare!.Opened, _clock, version, _versions[version], _begun);
        _hosts.Add(host);
        await host.StartAsync();
    }

    private async Task ReplaceFirstAsync(int version)
    {
        var host = _hosts[0];
        await host.StopAsync();
        _hosts.Remove(host);
        await host.DisposeAsync();
        await AddAsync(version);
    }

    /// <summary>An executor of a version that is not running any more claims held tasks and dies at once.</summary>
    private async Task DieWithClaimsAsync(string[] commands)
    {
        var dying = new ExecutorInfo
        {
            Id = $"dying {_tasks}",
            AppName = "default",
            Apps = ["default"],
            Capacity = 5,
            Commands = commands,
        };
        await Store.HeartbeatAsync(dying, [], default);
        (await _bare!.Opened.Queue.ClaimAsync(
            new ClaimRequest { Executor = dying, MaxTasks = 5, MaxBytes = long.MaxValue }, default))
            .Should().HaveCount(5, "only this executor knows the commands of the tasks that wait");

        for (var passed = TimeSpan.Zero; passed <= new LifecycleRules().ExecutorLifetime; passed += _pings)
        {
            var now = await _bare.Opened.Advance(_pings);
            _clock.Advance(_pings);
            await UntilAsync(async () =>
            {
                // In small steps: a host abandons a ping that takes too long on its clock.
                _clock.Advance(TimeSpan.FromMilliseconds(100));
                return (await Store.ListExecutorsAsync(default)).Count(ping => ping.LastPing == now) == _hosts.Count;
            });
        }

        (await Store.ExpelDeadExecutorsAsync(100, default)).Should().HaveCount(5);
    }

    /// <summary>
    /// Does the duties of managers until no task is left, except those that wait for a command that no host knows.
    /// </summary>
    private async Task SettleAsync(params string[] known)
    {
        await UntilAsync(async () =>
        {
            await Store.QueueDueAsync(100, default);
            await Store.RepairHoldsAsync(20, default);
            await _bare!.Opened.Advance(_turn);
            _clock.Advance(_turn);
            return !await IsBusyAsync(known);
        });
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var bound = new CancellationTokenSource(_bound);
        while (!await isSo())
        {
            bound.Token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Reads all states at once: a task may move from any of them to any other.</summary>
    private async Task<bool> IsBusyAsync(string[] known) => (await Store.ListAsync(
        new TaskQuery { States = [TaskState.Queued, TaskState.Executing, TaskState.Suspended] }, null, 10_000, default))
        .Items.Any(task => task.Managed.Hold != TaskHold.UnknownCommand || known.Contains(task.Managed.Method));

    private async Task<int> CountAsync(TaskQuery query) =>
        (await Store.ListAsync(query, null, 10_000, default)).Items.Count;

    /// <summary>A host of a version over the shared store.</summary>
    private sealed class Deployed : IAsyncDisposable
    {
        private readonly ServiceProvider _services;
        private readonly List<IHostedService> _running;

        public Deployed(
            OpenedStore opened,
            TimeProvider clock,
            int version,
            string[] commands,
            ConcurrentBag<(int Version, string Method)> begun)
        {
            var services = new ServiceCollection();
            services.AddLogging().AddSingleton(clock).AddSingleton(opened.Store).AddSingleton(opened.Queue);
            var tasks = services.AddKaijuTasks(options =>
                (options.Roles, options.Capacity) = (TaskRoles.Client | TaskRoles.Executor, 8));
            foreach (var command in commands)
            {
                tasks.AddCommand(command, () => begun.Add((version, command)));
            }

            _services = services.BuildServiceProvider();
            _running = [.. _services.GetServices<IHostedService>()];
        }

        public ITaskClient Client => _services.GetRequiredService<ITaskClient>();

        public async Task StartAsync()
        {
            foreach (var service in _running)
            {
                await service.StartAsync(default);
            }

            foreach (var service in _running.OfType<IHostedLifecycleService>())
            {
                await service.StartedAsync(default);
            }
        }

        public async Task StopAsync()
        {
            foreach (var service in _running)
            {
                await service.StopAsync(default);
            }
        }

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
