using System.Reflection;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Commands;

/// <summary>Examines the host's registered services without creating one.</summary>
internal sealed class RegisteredServices(IServiceCollection registered, IServiceProvider provider)
{
    private const int MostKeysShown = 5;

    private readonly IServiceProviderIsService _services = provider.GetRequiredService<IServiceProviderIsService>();

    /// <summary>True if the container provides the service.</summary>
    public bool Has(Type type)
    {
        // The container reports every IEnumerable<T> as a service, so the question is whether T is one.
        var service = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>)
            ? type.GetGenericArguments()[0]
            : type;
        return _services.IsService(service);
    }

    /// <summary>True if the container provides the service with the key, or cannot tell.</summary>
    public bool Has(Type type, object? key) =>
        provider.GetService<IServiceProviderIsKeyedService>() is not { } services
        || services.IsKeyedService(type, key);

    /// <summary>True if the service is registered with at least one key.</summary>
    public bool HasKeys(Type type) => WithKey(type).Any();

    /// <summary>True if the container creates the service with the function.</summary>
    public bool IsMadeBy(Type type, Delegate function) =>
        ReferenceEquals(WithoutKey(type).LastOrDefault()?.ImplementationFactory, function);

    /// <summary>The class names of all registrations of a service, as far as they are known.</summary>
    public IEnumerable<string> NamesOf(Type type) =>
        from service in WithoutKey(type)
        let made = service.ImplementationType ?? service.ImplementationInstance?.GetType()
        select made?.FullName ?? "one made by a function";

    /// <summary>Returns the clause that follows the type's name in a message about a missing service.</summary>
    public string NotRegistered(Type type)
    {
        var keys = string.Join(
            ", ", WithKey(type).Select(service => Show(service.ServiceKey)).Distinct().Take(MostKeysShown));
        return keys.Length == 0
            ? "which is not registered"
            : $"which is registered only with a key ({keys}); choose one with [FromKeyedServices]";
    }

    /// <summary>
    /// Returns why a registered service cannot be created, as the words after "constructor"; null if it can, as far as
    /// is known.
    /// </summary>
    public string? FindFault(Type type) => FindFault(type, []);

    /// <summary>
    /// Returns why a class that is not a service cannot be created with the constructor; null if it can.
    /// </summary>
    public string? FindFault(ConstructorInfo constructor) => FindFault(constructor, []);

    /// <summary>Returns the implementations of a service that cannot be created, with the reasons.</summary>
    public IEnumerable<(Type Made, string Fault)> FindFaultsOfAll(Type type) =>
        from service in WithoutKey(type)
        where IsExamined
        let fault = FindFaultOfMaking(service, [])
        where fault is not null
        select (service.ImplementationType!, fault);

    public static string Show(object? key) => key is string text ? $"\"{text}\"" : $"{key}";

    // Another container has its own rules for constructors, and registrations that are not in this collection.
    private bool IsExamined =>
        _services.GetType().Assembly.GetName().Name == "Microsoft.Extensions.DependencyInjection";

    private IEnumerable<ServiceDescriptor> WithoutKey(Type type) =>
        registered.Where(service => !service.IsKeyedService && service.ServiceType == type);

    private IEnumerable<ServiceDescriptor> WithKey(Type type) =>
        registered.Where(service => service.IsKeyedService && service.ServiceType == type);

    private string? FindFault(Type type, Dictionary<Type, string?> known)
    {
        if (!IsExamined)
        {
            return null;
        }

        if (known.TryGetValue(type, out var fault))
        {
            return fault;
        }

        // The container reports a cycle of services; this search must only end.
        known[type] = null;
        var service = WithoutKey(type).LastOrDefault();
        return known[type] = service is null ? null : FindFaultOfMaking(service, known);
    }

    /// <summary>Services that a function or the host creates, and open generic services, are not examined.</summary>
    private string? FindFaultOfMaking(ServiceDescriptor service, Dictionary<Type, string?> known)
    {
        if (service.ImplementationType is not { IsGenericTypeDefinition: false } made)
        {
            return null;
        }

        string? first = null;
        foreach (var constructor in made.GetConstructors().OrderBy(constructor => constructor.GetParameters().Length))
        {
            if (FindFault(constructor, known) is not { } fault)
            {
                return null;
            }

            first ??= fault;
        }

        return first ?? "is not public";
    }

    private string? FindFault(ConstructorInfo constructor, Dictionary<Type, string?> known)
    {
        foreach (var parameter in constructor.GetParameters().Where(parameter => !parameter.HasDefaultValue))
        {
            if (FindFault(parameter, known) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private string? FindFault(ParameterInfo parameter, Dictionary<Type, string?> known)
    {
        var type = parameter.ParameterType;
        if (parameter
            .GetCustomAttribute<FromKeyedServicesAttribute>()
                is { LookupMode: ServiceKeyLookupMode.ExplicitKey, Key: var key })
        {
            return Has(type, key)
                ? null
                : $"needs {TypeText.Of(type)} with the key {Show(key)}, which is not registered";
        }

        // Every IEnumerable<T> is a service here, even an empty one.
        return !_services.IsService(type) ? $"needs {TypeText.Of(type)}, {NotRegistered(type)}"
            : FindFault(type, known) is { } fault ? $"needs {TypeText.Of(type)}, whose constructor {fault}"
            : null;
    }
}
