using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Tests;

/// <summary>Starts and stops a container's hosted services as a host does.</summary>
internal static class HostedServices
{
    public static List<IHostedService> Start(IServiceProvider services)
    {
        var all = services.GetServices<IHostedService>().ToList();
        var lifecycle = all.OfType<IHostedLifecycleService>().ToList();
        lifecycle.ForEach(service => service.StartingAsync(default).GetAwaiter().GetResult());
        all.ForEach(service => service.StartAsync(default).GetAwaiter().GetResult());
        lifecycle.ForEach(service => service.StartedAsync(default).GetAwaiter().GetResult());
        return all;
    }

    public static async Task StopAsync(List<IHostedService> running)
    {
        var lifecycle = running.OfType<IHostedLifecycleService>().ToList();
        foreach (var service in lifecycle)
        {
            await service.StoppingAsync(default);
        }

        foreach (var service in running.AsEnumerable().Reverse())
        {
            await service.StopAsync(default);
        }

        foreach (var service in lifecycle)
        {
            await service.StoppedAsync(default);
        }

        running.Clear();
    }
}
