using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Contracts.Conformance;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing.Memory;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Tests.Storage;

/// <summary>Empty stores in memory, on fake time.</summary>
internal static class MemoryStores
{
    public static ValueTask<OpenedStore> Open(LifecycleRules rules, DateTimeOffset start) =>
        Open(rules, start, TaskLifecycle.Next);

    public static ValueTask<OpenedStore> Open(
        LifecycleRules rules, DateTimeOffset start, LifecycleFunction next, RoutingFunctions? routing = null)
    {
        var clock = new FakeTimeProvider(start);
        var store = new MemoryTaskStore(clock, rules, new CountedIds(), next, routing);
        var queue = new MemoryTaskQueue(store, clock);
        return new(new OpenedStore(store, queue, by =>
        {
            clock.Advance(by);
            return new(clock.GetUtcNow());
        })
        {
            PutBack = by =>
            {
                clock.AdjustTime(clock.GetUtcNow() - by);
                return new(clock.GetUtcNow());
            },
        });
    }

    /// <summary>The same ids in every repetition of a sequence.</summary>
    private sealed class CountedIds : IdSource
    {
        private int _count;

        public override Guid NewId() => new(++_count, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);
    }
}

public sealed class MemoryTransitionTests() : StoreTransitionTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreCreationTests() : StoreCreationTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreReadingTests() : StoreReadingTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreDeploymentTests() : StoreDeploymentTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreSteeringTests() : StoreSteeringTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreRetryTests() : StoreRetryTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreBulkTests() : StoreBulkTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreDutyTests() : StoreDutyTests(MemoryStores.Open);

public sealed class MemoryStoreRoutingTests() : StoreRoutingTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreWatchTests() : StoreWatchTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreAttendanceTests() : StoreAttendanceTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreExecutorTests() : StoreExecutorTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreNotificationTests() : StoreNotificationTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreHintTests() : StoreHintTests(MemoryStores.Open);

public sealed class MemoryStoreContractTestsStoreConcurrencyTests() : StoreConcurrencyTests(MemoryStores.Open);

public sealed class MemoryQueueContractTests() : TaskQueueTests(MemoryStores.Open);
