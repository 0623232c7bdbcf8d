using System.Collections.Concurrent;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>
/// The log lines of a store outage, over all loops of a host together. StoreOutagesTests has those of longer outages.
/// </summary>
public sealed class OutageLogTests
{
    private const int OutageBegins = 530;
    private const int OutageEnds = 532;

    /// <summary>The operations of each loop of a host with all roles, and of a run whose result waits.</summary>
    private static readonly string[] _asked =
    [
        nameof(ITaskStore.HeartbeatAsync), nameof(ITaskStore.FindLostClaimsAsync), nameof(ITaskStore.RecordAsync),
        nameof(ITaskStore.WatchAsync),
        nameof(ITaskStore.QueueDueAsync),
        nameof(ITaskStore.RequeueFailedAsync),
        nameof(ITaskStore.WakeWaitsAsync),
        nameof(ITaskStore.ListUndeliveredAsync), nameof(ITaskStore.DeleteEndedAsync),
    ];

    [Fact]
    public async Task An_outage_that_every_loop_meets_logs_two_lines()
    {
        var isAway = false;
        var failures = new ConcurrentDictionary<string, int>();
        var gate = new Gate();
        await using var host = new RunningHost(
            tasks =>
            {
                tasks.AddCommand("pass", gate.PassAsync);
                tasks.Services.AddSingleton<INotificationSink, SilentSink>();
            },
            options =>
                (options.DeleteEndedAfter, options.PingInterval) = (TimeSpan.FromDays(1), TimeSpan.FromSeconds(1)),
            store => new FaultyStore(store)
            {
                // The first clean-up runs at the start and the next one an hour later.
                FailsBefore = member =>
                    (Volatile.Read(ref isAway) || (member == nameof(ITaskStore.DeleteEndedAsync)
                        && !failures.ContainsKey(nameof(ITaskStore.RecordAsync))))
                    && failures.AddOrUpdate(member, 1, (_, count) => count + 1) > 0,
            },
            realTime: true);
        await host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("pass")] });
        await gate.Entered;

        Volatile.Write(ref isAway, true);
        gate.Open();
        await Waiting.Until(() => Task.FromResult(_asked.All(failures.ContainsKey) && failures.Values.Sum() > 100));
        Volatile.Write(ref isAway, false);

        await Waiting.Until(() => Task.FromResult(host.Logs.Lines.Any(line => line.Event.Id == OutageEnds)));
        (await host.Client.WaitAsync("t").Soon()).State.Should().Be(TaskState.Finished);
        var lines = host.Logs.Lines.Where(line => line.Level >= LogLevel.Warning || line.Event.Id == OutageEnds)
            .ToList();
        lines.Select(line => line.Event.Id).Should().Equal(OutageBegins, OutageEnds);
        lines[0].Exception.Should().BeOfType<IOException>();
    }

    private sealed class SilentSink : INotificationSink
    {
        public ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken) => default;
    }
}
