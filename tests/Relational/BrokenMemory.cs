using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing.Memory;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.Time.Testing;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// A store in memory with a broken lifecycle. It plays a sequence hundreds of times faster than a database, and so
/// finds the sequences in which the rule matters.
/// </summary>
internal static class BrokenMemory
{
    public static OpenStore Of(LifecycleFunction broken) => (rules, start) =>
    {
        var clock = new FakeTimeProvider(start);
        var store = new MemoryTaskStore(clock, rules, IdSource.Random, broken);
        return new(new OpenedStore(store, new MemoryTaskQueue(store, clock), by =>
        {
            clock.Advance(by);
            return new(clock.GetUtcNow());
        }));
    };
}
