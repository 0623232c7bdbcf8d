using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Kaiju.Tasks.Tests.Callers;
using Microsoft.Extensions.DependencyInjection;

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
        // Registered directly: the engine's registration is refused in a host without all roles.
        tasks.Services.AddSingleton<ITaskStore>(provider => provider.GetRequiredService<MemoryTaskStore>());
    }
}

public sealed class MemoryDisposedClientTests : DisposedClientTests
{
    protected override void UseStore(KaijuTasksBuilder tasks)
    {
        // In memory, without an adapter.
    }
}

public sealed class MemoryFailedStageTests : FailedStageTests
{
    protected override void UseStore(KaijuTasksBuilder tasks)
    {
        // In memory, without an adapter.
    }
}
