using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Commands;

/// <summary>Makes handlers of users' delegates and methods.</summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal static class DelegateCommand
{
    /// <summary>The handler of a delegate.</summary>
    public static CommandHandler? Bind(Delegate handler, Type? whole, CommandBinding binding)
    {
        if (handler.Method.IsStatic && handler.Target is not null)
        {
            binding.Refuse("the delegate is closed over its first argument; use a lambda instead.");
            return null;
        }

        if (!handler.HasSingleTarget)
        {
            binding.Refuse("the delegate stands for several methods; use a lambda that calls them.");
            return null;
        }

        var target = handler.Target;
        return Call.Of(handler.Method, whole, binding) is { } call
            ? (services, context, parameters, cancellationToken) =>
                call.InvokeAsync(target, services, context, parameters, cancellationToken)
            : null;
    }

    /// <summary>
    /// The handler of a method of a class. Each stage gets an object: a service, if the class is one, else a new one
    /// that ends with the stage.
    /// </summary>
    public static CommandHandler? Bind(MethodInfo method, Type type, CommandBinding binding)
    {
        if (method.ContainsGenericParameters)
        {
            binding.Refuse("the method has type parameters, which no task can give; make one method for each type.");
            return null;
        }

        var call = Call.Of(method, null, binding);
        if (method.IsStatic)
        {
            return call is null ? null : (services, context, parameters, cancellationToken) =>
                call.InvokeAsync(null, services, context, parameters, cancellationToken);
        }

        return binding.Host.Services.Has(type) ? BindToService(call, type, binding) : BindToNew(call, type, binding);
    }

    private static CommandHandler? BindToService(Call? call, Type type, CommandBinding binding)
    {
        if (binding.Host.Services.FindFault(type) is { } fault)
        {
            binding.Refuse($"the constructor of {TypeText.Of(type)} {fault}.");
            return null;
        }

        return call is null ? null : (services, context, parameters, cancellationToken) =>
            call.InvokeAsync(services.GetRequiredService(type), services, context, parameters, cancellationToken);
    }

    private static CommandHandler? BindToNew(Call? call, Type type, CommandBinding binding)
    {
        if (FindFault(type, binding.Host.Services) is { } fault)
        {
            binding.Refuse($"{fault}.");
            return null;
        }

        var factory = ActivatorUtilities.CreateFactory(type, []);
        return call is null ? null : async (services, context, parameters, cancellationToken) =>
        {
            var target = factory(services, []);
            try
            {
                return await call.InvokeAsync(
                    target, services, context, parameters, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await EndAsync(target).ConfigureAwait(false);
            }
        };
    }

    /// <summary>
    /// Why no object of the class can be made; null if one can. The constructor is chosen as the factory chooses it.
    /// </summary>
    private static string? FindFault(Type type, RegisteredServices services)
    {
        var name = TypeText.Of(type);
        if (type.IsAbstract)
        {
            return $"its class {name} is {(type.IsInterface ? "an interface" : "abstract")} and not a registered "
                + "service; register an implementation";
        }

        var all = type.GetConstructors();
        var marked = all.Where(constructor => constructor.IsDefined(typeof(ActivatorUtilitiesConstructorAttribute)))
            .ToList();
        return (marked.Count > 0 ? marked : [.. all]) switch
        {
            [] => $"its class {name} is not a registered service and has no public constructor",
            [var only] => services.FindFault(only) is { } fault ? $"the constructor of {name} {fault}" : null,
            _ => $"its class {name} is not a registered service and has several public constructors; mark one with "
                + "[ActivatorUtilitiesConstructor]",
        };
    }

    private static ValueTask EndAsync(object target)
    {
        if (target is IAsyncDisposable end)
        {
            return end.DisposeAsync();
        }

        (target as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A method with its parameters' sources and its result's writer.</summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private sealed class Call(
        MethodInvoker method, ParameterBinder parameters, Func<object?, ValueTask<JsonElement>> result)
    {
        /// <summary>Null if the result cannot be written, or nothing could see the method end.</summary>
        public static Call? Of(MethodInfo method, Type? whole, CommandBinding binding)
        {
            if (method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute)))
            {
                binding.Refuse("the handler is async void, so nothing could see it end or fail; let it return a Task.");
                return null;
            }

            var parameters = new ParameterBinder(method, whole, binding);
            return ResultWriter.For(method.ReturnType, binding) is { } result
                ? new Call(MethodInvoker.Create(method), parameters, result)
                : null;
        }

        public ValueTask<JsonElement> InvokeAsync(
            object? target,
            IServiceProvider services,
            StageContext context,
            JsonElement values,
            CancellationToken cancellationToken)
        {
            var arguments = parameters.Bind(services, context, values, cancellationToken);
            return result(method.Invoke(target, arguments.AsSpan()));
        }
    }
}
