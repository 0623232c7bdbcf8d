using System.Collections.Concurrent;
using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Contracts.Model;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Tests.Simulation;
using Kaiju.Tasks.Tests.Storage;
using Xunit.Abstractions;

namespace Kaiju.Tasks.Tests.Model;

public sealed class MemoryStoreModelTests(ITestOutputHelper output) : StoreModelTests(MemoryStores.Open)
{
    // The transitions that some thousand sequences must have reached for the model test to be meaningful.
    private static readonly string[] _life =
    [
        "Cancelled: Executing to Failed",
        "Cancelled: Finished to nothing",
        "Cancelled: Idle to Failed",
        "Cancelled: Queued to Failed",
        "Cancelled: Queued (Paused) to Failed",
        "Cancelled: Queued (UnknownCommand) to Failed",
        "Cancelled: Waiting to Failed",
        "Chained: Executing to nothing",
        "Chained: Failed to Idle",
        "Chained: Finished to Idle",
        "Chained: Idle to Idle",
        "Chained: Waiting to nothing",
        "CheckOverdue: Executing to Failed", "CheckOverdue: Queued to Failed", "CheckOverdue: Suspended to Failed",
        "CheckRetry: Failed to Failed", "CheckRetry: Failed to Queued",
        "CheckWait: Waiting to Failed", "CheckWait: Waiting to Finished", "CheckWait: Waiting to Suspended",
        "Claimed: Executing to nothing",
        "Claimed: Queued to Executing",
        "Claimed: Queued (Paused) to nothing",
        "Claimed: Queued (UnknownCommand) to Executing",
        "Claimed: Queued (UnknownCommand) to nothing",
        "Claimed: Suspended to nothing",
        "Claimed: Waiting to nothing",
        "GivenBack: Executing to Suspended", "Interrupted: Executing to Failed", "Interrupted: Executing to Suspended",
        "MessageSent: Waiting to Finished", "MessageSent: Waiting to Suspended", "MessageSent: Waiting to nothing",
        "NextPeriod: Failed to Idle",
        "NextPeriod: Finished to Idle",
        "PutBack: Executing to Failed",
        "PutBack: Executing to Queued (UnknownCommand)",
        "PutBack: Executing to nothing",
        "PutBack: Queued (UnknownCommand) to nothing",
        "QueueDue: Idle to Queued",
        "QueueDue: Suspended to Queued",
        "Reported: Executing to Executing",
        "Reported: Executing to Failed",
        "Reported: Executing to Finished",
        "Reported: Executing to Waiting",
        "Reported: Executing to nothing",
        "Reported: Failed to nothing",
        "Reported: Finished to nothing",
        "Reported: Idle to nothing",
        "Reported: Queued to nothing", "Reported: Suspended to nothing", "Reported: Waiting to nothing",
        "Reset: Executing to Idle",
        "Reset: Failed to Idle",
        "Reset: Finished to Idle",
        "Reset: Idle to Idle",
        "Reset: Queued to Idle",
        "Reset: Queued (UnknownCommand) to Idle",
        "Reset: Waiting to Idle",
        "Retried: Failed to Queued",
        "Retried: Idle to Queued",
    ];

    [Fact]
    public async Task Each_rule_that_is_removed_is_caught_by_the_model()
    {
        var missed = new List<string>();
        foreach (var (name, broken) in BrokenModelRules.All)
        {
            // The same sequences each time, so that the caught rules do not depend on chance.
            var found = await FindDifferenceAsync(
                (rules, start) => MemoryStores.Open(rules, start, broken), sequences: 2000);
            output.WriteLine($"{name}: {found ?? "nothing was seen of it."}");
            if (found is null)
            {
                missed.Add(name);
            }
        }

        missed.Should().BeEmpty("the model is to see what a broken rule does");
    }

    [Fact]
    public async Task A_store_in_which_a_lower_version_wins_is_caught_by_the_model()
    {
        var found = await FindDifferenceAsync(
            async (rules, start) =>
            {
                var opened = await MemoryStores.Open(rules, start);
                return opened with { Store = new LowerVersionWins(opened.Store) };
            },
            sequences: 500);
        output.WriteLine(found ?? "nothing was seen of it.");
        found.Should().NotBeNull();
    }

    /// <summary>A store that never skips a version, and stores the last one.</summary>
    private sealed class LowerVersionWins(ITaskStore inner) : DecoratedStore(inner)
    {
        private readonly ITaskStore _inner = inner;

        public override async ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(
            IReadOnlyList<TaskDefinition> tasks,
            ConflictRule onConflict,
            CallContext context,
            CancellationToken cancellationToken)
        {
            var isOld = onConflict.OnConflict == OnConflict.Update
                && (await _inner.GetAsync(tasks[0].Id!, cancellationToken))?.Version > onConflict.Version;
            return await _inner.CreateAsync(
                tasks, isOld ? onConflict.OnConflict : onConflict, context, cancellationToken);
        }
    }

    [Fact]
    public async Task Each_broken_routing_is_caught_by_the_model()
    {
        foreach (var (name, broken) in BrokenRoutings.All)
        {
            var found = await FindDifferenceAsync(
                (rules, start) => MemoryStores.Open(rules, start, TaskLifecycle.Next, broken), sequences: 2000);
            output.WriteLine($"{name}: {found ?? "nothing was seen of it."}");
            found.Should().NotBeNull("a store without the rule \"{0}\" is broken", name);
        }
    }

    /// <summary>Only the executor may know a claim, and the wire form of an entry has none.</summary>
    [Fact]
    public async Task A_store_that_shows_the_claims_of_its_history_is_caught_by_the_model()
    {
        var found = await FindDifferenceAsync(
            async (rules, start) =>
            {
                var opened = await MemoryStores.Open(rules, start);
                return opened with { Store = new StoreThatShowsClaims(opened.Store) };
            },
            sequences: 100);

        found.Should().Contain("the claim of its history at stage ");
    }

    [Fact]
    public async Task The_sequences_reach_every_transition_of_a_life()
    {
        var reached = new ConcurrentDictionary<string, int>();
        await PlayAsync((rules, start) => MemoryStores.Open(rules, start, Counted), sequences: 3000);

        foreach (var (transition, count) in reached.OrderBy(transition => transition.Key))
        {
            output.WriteLine($"{count,7} {transition}");
        }

        _life.Except(reached.Keys).Should().BeEmpty("a transition that is not reached is not tested");

        Transition? Counted(
            TaskDefinition task, ManagedState state, TaskEvent happened, DateTimeOffset now, LifecycleRules rules)
        {
            var transition = TaskLifecycle.Next(task, state, happened, now, rules);
            var name = happened is TaskEvent.Reported { Report.Outcome: StageOutcome.Unknown }
                ? nameof(StageOutcome.PutBack)
                : happened.GetType().Name;
            reached.AddOrUpdate(
                $"{name}: {Show(state)} to {(transition is null ? "nothing" : Show(transition.After))}",
                1,
                (_, count) => count + 1);
            return transition;
        }

        static string Show(ManagedState state) =>
            state.Hold == TaskHold.None ? $"{state.State}" : $"{state.State} ({state.Hold})";
    }

    private sealed class StoreThatShowsClaims(ITaskStore inner) : DecoratedStore(inner)
    {
        public override async ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(
            string taskId, CancellationToken cancellationToken)
        {
            var stages = await base.GetStagesAsync(taskId, cancellationToken);
            return [.. stages.Select(entry => entry.With(stage => stage.Claim, Guid.NewGuid()))];
        }
    }
}
