using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Hosting;

/// <summary>A store that the host's code has chosen.</summary>
/// <param name="Name">The name of the method that chose it, such as <c>UseSqlite</c>.</param>
internal sealed record StoreRegistration(string Name)
{
    /// <summary>The factory of the default store, which keeps tasks in memory.</summary>
    public static Func<IServiceProvider, ITaskStore> InMemory { get; } = provider =>
        provider.GetRequiredService<MemoryTaskStore>();
}
