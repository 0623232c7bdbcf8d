using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Commands;

/// <summary>
/// Binds a handler's parameters. The stage, the token and services are bound by type. A parameter with
/// <see cref="ParamsAttribute"/> takes the params as a whole, and every other parameter the member with its name.
/// </summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal sealed class ParameterBinder
{
    private delegate object? Source(
        IServiceProvider services, StageContext context, JsonElement parameters, CancellationToken cancellationToken);

    private readonly Source[] _sources;

    public ParameterBinder(MethodInfo method, Type? whole, CommandBinding binding)
    {
        var parameters = method.GetParameters();
        if (whole is not null && parameters.All(parameter => parameter.ParameterType != whole))
        {
            binding.Refuse(
                $"the handler has no parameter of the type {TypeText.Of(whole)}, which must take the params as a "
                    + "whole.");
        }

        _sources = [.. parameters.Select(parameter => SourceOf(parameter, whole, binding))];
    }

    /// <exception cref="ParamsBindingException">
    /// The params do not fit. The message names the parameter, the place and the kind of the value.
    /// </exception>
    public object?[] Bind(
        IServiceProvider services, StageContext context, JsonElement parameters, CancellationToken cancellationToken)
    {
        var values = new object?[_sources.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = _sources[i](services, context, parameters, cancellationToken);
        }

        return values;
    }

    private static Source SourceOf(ParameterInfo parameter, Type? whole, CommandBinding binding)
    {
        var type = parameter.ParameterType;
        if (type.IsByRef || type.IsPointer || type.IsByRefLike)
        {
            return Refuse(
                binding,
                $"its parameter \"{parameter.Name}\" is passed by reference or lives on the stack; a command cannot "
                    + "have such a parameter.");
        }

        // An explicit key selects a service, even for the types that the stage itself provides.
        var keyed = parameter.GetCustomAttribute<FromKeyedServicesAttribute>();
        if (keyed is not { LookupMode: ServiceKeyLookupMode.ExplicitKey } && SourceOfStage(type) is { } stage)
        {
            return stage;
        }

        if (parameter.IsDefined(typeof(ServiceKeyAttribute)))
        {
            return Refuse(
                binding,
                $"its parameter \"{parameter.Name}\" is marked [ServiceKey], but a handler is not a service with a "
                    + "key; remove it.");
        }

        var isWhole = type == whole || parameter.IsDefined(typeof(ParamsAttribute));
        return keyed is not null ? SourceOfKey(parameter, keyed, binding)
            : !isWhole && binding.Host.Services.Has(type) ? SourceOfService(parameter, binding)
            : SourceOfJson(parameter, isWhole, binding);
    }

    /// <summary>The source of a type that the stage itself provides; null for other types.</summary>
    private static Source? SourceOfStage(Type type) =>
        type == typeof(CancellationToken) ? static (_, _, _, cancellationToken) => cancellationToken
        : type == typeof(StageContext) ? static (_, context, _, _) => context
        : type == typeof(ILogger) ? static (_, context, _, _) => context.Logger
        : type == typeof(IServiceProvider) ? static (services, _, _, _) => services
        : null;

    private static Source SourceOfService(ParameterInfo parameter, CommandBinding binding)
    {
        var type = parameter.ParameterType;
        if (binding.Host.Services.FindFault(type) is { } fault)
        {
            return Refuse(
                binding,
                $"its parameter \"{parameter.Name}\" takes the service {TypeText.Of(type)}, "
                + $"whose constructor {fault}.");
        }

        return (services, _, _, _) => services.GetRequiredService(type);
    }

    private static Source SourceOfKey(ParameterInfo parameter, FromKeyedServicesAttribute keyed, CommandBinding binding)
    {
        // A handler has no key that a parameter could inherit, so only an explicit key counts.
        var (type, services) = (parameter.ParameterType, binding.Host.Services);
        var key = keyed.LookupMode == ServiceKeyLookupMode.ExplicitKey ? keyed.Key : null;
        if (key is null ? services.Has(type) : services.Has(type, key))
        {
            return key is null ? SourceOfService(parameter, binding) : (services, _, _, _) =>
                services.GetRequiredKeyedService(type, key);
        }

        if (JsonParameter.IsOptional(parameter))
        {
            var value = JsonParameter.DefaultOf(parameter);
            return (_, _, _, _) => value;
        }

        return Refuse(binding, key is null
            ? $"its parameter \"{parameter.Name}\" takes the service {TypeText.Of(type)}, "
                + $"{services.NotRegistered(type)}."
            : $"its parameter \"{parameter.Name}\" takes the service {TypeText.Of(type)} with the key "
                + $"{RegisteredServices.Show(key)}, which is not registered.");
    }

    private static Source SourceOfJson(ParameterInfo parameter, bool isWhole, CommandBinding binding)
    {
        var (type, services) = (parameter.ParameterType, binding.Host.Services);
        var isMeantAsService = !isWhole && services.HasKeys(type);
        var fault = isMeantAsService ? null : ParamsReading.FindFault(type, binding.Host.Serializing);
        if ((isMeantAsService || fault is not null) && (isWhole || !JsonParameter.IsOptional(parameter)))
        {
            var why = isMeantAsService ? services.NotRegistered(type)
                : $"which {(isWhole ? "" : "is not registered and ")}cannot be read from JSON: {fault}";
            return Refuse(binding, $"its parameter \"{parameter.Name}\" is {TypeText.WithArticle(type)}, {why}.");
        }

        if (ParamsReading.FindLoss(type, binding.Host.Serializing) is { } loss)
        {
            return Refuse(
                binding,
                $"its parameter \"{parameter.Name}\" is {TypeText.WithArticle(type)}, which cannot be read from JSON: "
                    + $"{loss}.");
        }

        var reader = new JsonParameter(parameter, binding.Host.Serializing);
        return isWhole
            ? (_, context, parameters, _) => reader.ReadWhole(parameters, context.Method)
            : (_, context, parameters, _) => reader.ReadMember(parameters, context.Method);
    }

    private static Source Refuse(CommandBinding binding, string why)
    {
        binding.Refuse(why);
        return static (_, _, _, _) => null;
    }
}
