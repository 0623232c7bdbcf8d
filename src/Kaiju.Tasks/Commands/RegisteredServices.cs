using System.Reflection;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Commands;

/// <summary>What can be known of the host's services without making one of them.</summary>
internal sealed class RegisteredServices(IServiceCollection registered, IServiceProvider provider)
{
    private const int MostKeysShown = 5;

    private readonly IServiceProviderIsService _services = provider.GetRequiredService<IServiceProviderIsService>();

    /// <summary>True if the container gives such a service.</summary>
    public bool Has(Type type)
    {
        // The container says yes to every IEnumerable<T>; what matters is whether there is a T.
        var service = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>)
            ? type.GetGenericArguments()[0]
            : type;
        return _services.IsService(service);
    }

    /// <summary>True if the container gives such a service under the key, or does not say.</summary>
    public bool Has(Type type, object? key) =>
        provider.GetService<IServiceProviderIsKeyedService>() is not { } services
        || services.IsKeyedService(type, key);

    /// <summary>True if there is such a service under a key.</summary>
    public bool HasKeys(Type type) => WithKey(type).Any();

    /// <summary>True if the container has that function make the service.</summary>
    public bool IsMadeBy(Type type, Delegate function) =>
        ReferenceEquals(WithoutKey(type).LastOrDefault()?.ImplementationFactory, function);

    /// <summary>The classes of all services of a type, as far as they can be told.</summary>
    public IEnumerable<string> NamesOf(Type type) =>
        from service in WithoutKey(type)
        let made = service.ImplementationType ?? service.ImplementationInstance?.GetType()
        select made?.FullName ?? "one made by a function";

    /// <summary>Why there is none: the rest of a sentence that ends with the type.</summary>
    public string NotRegistered(Type type)
    {
        var keys = string.Join(
            ", ", WithKey(type).Select(service => Show(service.ServiceKey)).Distinct().Take(MostKeysShown));
        return keys.Length == 0
            ? "which is not registered"
            : $"which is registered only with a key ({keys}); choose one with [FromKeyedServices]";
    }

    /// <summary>
    /// Why a registered service cannot be made, to be put after "constructor"; null if it can, as far as can be told.
    /// </summary>
    public string? FindFault(Type type) => FindFault(type, []);

    /// <summary>The same of a class that is not a service.</summary>
    public string? FindFault(ConstructorInfo constructor) => FindFault(constructor, []);

    /// <summary>All implementations of a service that cannot be made.</summary>
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

        // A ring of services is the container's business: here it must only end.
        known[type] = null;
        var service = WithoutKey(type).LastOrDefault();
        return known[type] = service is null ? null : FindFaultOfMaking(service, known);
    }

    /// <summary>A service that a function or the host made is taken as it is, and so is an open generic one.</summary>
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

        // Every IEnumerable<T> is a service here, if only an empty one.
        return !_services.IsService(type) ? $"needs {TypeText.Of(type)}, {NotRegistered(type)}"
            : FindFault(type, known) is { } fault ? $"needs {TypeText.Of(type)}, whose constructor {fault}"
            : null;
    }
}
