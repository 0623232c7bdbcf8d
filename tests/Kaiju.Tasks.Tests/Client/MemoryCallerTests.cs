using Kaiju.Tasks.Tests.Callers;

namespace Kaiju.Tasks.Tests.Client;

public sealed class MemoryCallerTests : CallerContextTests
{
    protected override void UseStore(KaijuTasksBuilder tasks)
    {
        // In memory, without an adapter.
    }
}

public sealed class MemoryAmbientTransactionTests : AmbientTransactionTests
{
    protected override void UseStore(KaijuTasksBuilder tasks)
    {
        // In memory, without an adapter.
    }
}

public sealed class MemoryDisposedClientTests : DisposedClientTests
{
    protected override void UseStore(KaijuTasksBuilder tasks)
    {
        // In memory, without an adapter.
    }
}
