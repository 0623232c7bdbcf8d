using System.Diagnostics.CodeAnalysis;
using Kaiju.Tasks;
using Kaiju.Tasks.Client;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Hosting;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Queueing.Memory;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds durable background tasks to a host.</summary>
public static class KaijuTasksServiceCollectionExtensions
{
    /// <summary>
    /// Adds the client, the manager and the executor (<see cref="KaijuTasksOptions.Roles"/>), over a store in memory
    /// unless an adapter replaces it. May be called again: the options add up, and no service is added twice.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">
    /// A section whose keys are the names of <see cref="KaijuTasksOptions"/>, such as
    /// <c>builder.Configuration.GetSection("Tasks")</c>. An unknown key, or a value that cannot be converted, fails the
    /// start of the host.
    /// </param>
    /// <param name="configure">Sets options, after the configuration.</param>
    /// <returns>The builder, to add commands and a store.</returns>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static KaijuTasksBuilder AddKaijuTasks(
        this IServiceCollection services,
        IConfiguration configuration,
        Action<KaijuTasksOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<KaijuTasksOptions>()
            .Bind(configuration, binding => binding.ErrorOnUnknownConfiguration = true);
        return services.AddKaijuTasks(configure);
    }

    /// <summary>
    /// Adds the client, the manager and the executor (<see cref="KaijuTasksOptions.Roles"/>), over a store in memory
    /// unless an adapter replaces it. May be called again: the options add up, and no service is added twice.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The builder, to add commands and a store.</returns>
    public static KaijuTasksBuilder AddKaijuTasks(
        this IServiceCollection services, Action<KaijuTasksOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAdd(ServiceDescriptor.Singleton(typeof(ILogger<>), typeof(AnyLogger<>)));
        services.AddOptionsWithValidateOnStart<KaijuTasksOptions, KaijuTasksOptionsValidator>();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        var commands = AddCommands(services);
        AddStore(services);
        AddClient(services);
        AddEngine(services);
        return new KaijuTasksBuilder(services, commands);
    }

    private static CommandRegistrations AddCommands(IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<SpecialCommand, TimerSpecialCommand>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<SpecialCommand, MessageSpecialCommand>());
        services.TryAddSingleton<SpecialCommandRegistry>();
        services.TryAddSingleton(provider => new RegisteredServices(services, provider));
        if (services.FirstOrDefault(
            service => service.ServiceType == typeof(
                CommandRegistrations))?.ImplementationInstance is CommandRegistrations known)
        {
            return known;
        }

        var commands = new CommandRegistrations();
        services.AddSingleton(commands);
        return commands;
    }

    private static void AddStore(IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(IdSource.Random);
        services.TryAddSingleton(provider => Options(provider).Rules);
        services.TryAddSingleton(
            provider => ActivatorUtilities.CreateInstance<StoreOutages>(provider, Options(provider)));
        services.TryAddSingleton<MemoryTaskStore>();
        services.TryAddSingleton(StoreRegistration.InMemory);
        services.TryAddSingleton<ITaskQueue, MemoryTaskQueue>();
    }

    private static void AddClient(IServiceCollection services)
    {
        services.TryAddSingleton(provider => new TaskDefinitionChecker(
            Options(provider),
            provider.GetRequiredService<SpecialCommandRegistry>(),
            provider.GetRequiredService<IdSource>()));
        services.TryAddSingleton(provider => new ClientLifetime(provider.GetService<IHostApplicationLifetime>()));
        services.TryAddSingleton(
            provider => ActivatorUtilities.CreateInstance<ClientCalls>(provider, Options(provider)));
        services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<WaiterHub>(provider, Options(provider)));
        services.TryAddSingleton(
            provider => ActivatorUtilities.CreateInstance<ClientReading>(provider, Options(provider)));
        services.TryAddSingleton<QueuePublisher>();
        services.TryAddSingleton<ITaskClient>(
            provider => ActivatorUtilities.CreateInstance<TaskClient>(provider, Options(provider)));
    }

    private static void AddEngine(IServiceCollection services)
    {
        services.TryAddSingleton<Offload>();
        services.TryAddSingleton(provider => new HostEnd(
            provider.GetRequiredService<IServiceScopeFactory>(), provider.GetService<IHostApplicationLifetime>()));
        services.TryAddSingleton(provider => new CommandCatalog(
            provider.GetRequiredService<CommandRegistrations>(),
            new BindingHost(provider.GetRequiredService<RegisteredServices>(), Options(provider).SerializerOptions)));
        services.TryAddSingleton(
            provider => ActivatorUtilities.CreateInstance<TaskManager>(provider, Options(provider)));
        services.TryAddSingleton(provider => ActivatorUtilities.CreateInstance<StageRunner>(
            provider, Options(provider), provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance));
        services.TryAddSingleton(
            provider => ActivatorUtilities.CreateInstance<TaskExecutor>(provider, Options(provider)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TaskHostedService>());
    }

    private static KaijuTasksOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<KaijuTasksOptions>>().Value;
}
