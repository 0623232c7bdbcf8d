using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Hosting;

/// <summary>A store that the host has asked for.</summary>
/// <param name="Name">The call that asked for it.</param>
internal sealed record StoreRegistration(string Name)
{
    /// <summary>What gives the store of a host that has asked for none.</summary>
    public static Func<IServiceProvider, ITaskStore> InMemory { get; } = provider =>
        provider.GetRequiredService<MemoryTaskStore>();
}
