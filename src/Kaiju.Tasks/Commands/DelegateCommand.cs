using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Commands;

/// <summary>Makes handlers from users' delegates and methods.</summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal static class DelegateCommand
{
    /// <summary>Makes the handler of a delegate; null if it cannot be bound.</summary>
    public static CommandHandler? Bind(Delegate handler, Type? whole, CommandBinding binding)
    {
        if (handler.Method.IsStatic && handler.Target is not null)
        {
            binding.Refuse("the delegate is closed over its first argument; use a lambda instead.");
            return null;
        }

        if (!handler.HasSingleTarget)
        {
            binding.Refuse("the delegate has several methods; use a lambda that calls them.");
            return null;
        }

        var target = handler.Target;
        return Call.Of(handler.Method, whole, binding) is { } call
            ? (services, context, parameters, cancellationToken) =>
                call.InvokeAsync(target, services, context, parameters, cancellationToken)
            : null;
    }

    /// <summary>
    /// Makes the handler of a class's method; null if it cannot be bound. Each stage gets an object: the service if the
    /// class is registered as one, else a new object that is disposed of after the stage.
    /// </summary>
    public static CommandHandler? Bind(MethodInfo method, Type type, CommandBinding binding)
    {
        if (method.ContainsGenericParameters)
        {
            binding.Refuse("the method has type parameters, which a task cannot set; make one method for each type.");
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
    /// Returns why an object of the class cannot be created; null if it can. Selects the constructor as the factory
    /// does.
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
        MethodInvoker method, ParameterBinder parameters, Func<object?, ValueTask<StageOutcome>> result)
    {
        /// <summary>Makes the call; null if its result cannot be written or its end cannot be observed.</summary>
        public static Call? Of(MethodInfo method, Type? whole, CommandBinding binding)
        {
            if (method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute)))
            {
                binding.Refuse(
                    "the handler is async void, so its end and its failure cannot be observed; let it return a Task.");
                return null;
            }

            var parameters = new ParameterBinder(method, whole, binding);
            return ResultWriter.For(method.ReturnType, binding) is { } result
                ? new Call(MethodInvoker.Create(method), parameters, result)
                : null;
        }

        public ValueTask<StageOutcome> InvokeAsync(
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
