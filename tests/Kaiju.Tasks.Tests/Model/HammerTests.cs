using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.Logging;
using Xunit.Abstractions;

namespace Kaiju.Tasks.Tests.Model;

/// <summary>
/// Real threads on real time: several hosts with all their loops over one store. The model's rules for sequential steps
/// must also hold under concurrency.
/// </summary>
[Collection(Alone.Name)]
public sealed class HammerTests(ITestOutputHelper output)
{
    private const int Hosts = 8;
    private const int Managers = 3;
    private const int Clients = 32;

    [Theory]
    [InlineData(10, 0)]
    [InlineData(5, 0.05)]
    public async Task No_result_is_lost_or_duplicated_under_concurrent_calls(int seconds, double faults)
    {
        var shared = NewStore();
        var work = new HammerWork();
        var hosts = Enumerable.Range(0, Hosts)
            .Select(
                i => new HammerHost(
                    shared,
                    work,
                    new Faults(i, faults),
                    i < Managers ? TaskRoles.All : TaskRoles.Client | TaskRoles.Executor))
            .ToList();
        var started = TimeProvider.System.GetTimestamp();

        var clients = Enumerable.Range(0, Clients).Select(
            i => Task.Run(() => new HammerClient(shared, hosts[0].Client, work, i).RunAsync(
            () => TimeProvider.System.GetElapsedTime(started).TotalSeconds < seconds)));
        var ended = (await Task.WhenAll(clients).WaitAsync(TimeSpan.FromSeconds(seconds + 60))).Sum();
        await Task.WhenAll(hosts.Select(host => host.StopAsync())).Soon();

        output.WriteLine($"{ended} tasks ended; {work.Calls} stages were run.");
        ended.Should().BeGreaterThan(Clients);
        work.CallsOf.Where(calls => calls.Value > 1).Should().BeEmpty(
            "no host has died, so no stage runs twice in one attempt");
        hosts.SelectMany(host => host.Logs.Lines)
            .Where(line => faults == 0 && line.Level >= LogLevel.Error && line.Event.Id != 222)
            .Should().BeEmpty("nothing has failed but stages");
        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("all goes well", 0.0, false)]
    [InlineData("some calls do not get through", 0.3, false)]
    [InlineData("no call gets through", 1.0, false)]
    [InlineData("no call is answered", 1.0, true)]
    public async Task A_host_stops_within_its_bounds(string how, double share, bool hangs)
    {
        var shared = NewStore();
        var work = new HammerWork();
        var faults = new Faults(1, 0);
        await using var host = new HammerHost(shared, work, faults, TaskRoles.All, hangs);
        for (var i = 0; i < 4 * HammerHost.Capacity; i++)
        {
            var slow = i % 2 == 0 ? "stubborn" : "patient";
            await host.Client.CreateAsync(new TaskDefinition
            {
                Id = $"t{i}",
                MaxRetries = 3,
                RetryDelay = TimeSpan.Zero,
                Commands = [new("work"), new(slow), new("work")],
            });
        }

        await work.AllSlotsHeld.Soon();
        faults.Share = share;
        var began = TimeProvider.System.GetTimestamp();
        await host.StopAsync().Soon();
        var took = TimeProvider.System.GetElapsedTime(began);
        work.Release();

        // Releasing tasks may take five seconds; two more are for a slow machine.
        output.WriteLine($"{how}: stopped after {took.TotalSeconds:f2} s.");
        took.Should().BeLessThan(
            HammerHost.StopTimeout + HammerHost.StopCancelTimeout + TimeSpan.FromSeconds(5 + 2),
            $"it stops in time, although {how}");
    }

    private static MemoryTaskStore NewStore() =>
        new(TimeProvider.System, new KaijuTasksOptions().Rules, IdSource.Random, TaskLifecycle.Next);
}
