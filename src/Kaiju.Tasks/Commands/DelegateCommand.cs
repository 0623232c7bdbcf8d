using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Kaiju.Tasks.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Commands;

/// <summary>Makes handlers of users' delegates and methods.</summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal static class DelegateCommand
{
    /// <summary>The handler of a delegate.</summary>
    public static CommandHandler Bind(Delegate handler, Type? whole, BindingHost host, string place)
    {
        if (handler.Method.IsStatic && handler.Target is not null)
        {
            throw new ArgumentException($"{place}: the delegate is closed over its first argument; use a lambda instead.");
        }

        var target = handler.Target;
        var call = new Call(handler.Method, whole, host, place);
        return (services, context, parameters, cancellationToken) => call.InvokeAsync(target, services, context, parameters, cancellationToken);
    }

    /// <summary>The handler of a method of a class. Each stage gets an object: a service, if the class is one, else a new one that ends with the stage.</summary>
    public static CommandHandler Bind(MethodInfo method, Type type, BindingHost host, string place)
    {
        var call = new Call(method, null, host, place);
        if (method.IsStatic)
        {
            return (services, context, parameters, cancellationToken) => call.InvokeAsync(null, services, context, parameters, cancellationToken);
        }

        if (host.Services.IsService(type))
        {
            return (services, context, parameters, cancellationToken) =>
                call.InvokeAsync(services.GetRequiredService(type), services, context, parameters, cancellationToken);
        }

        var factory = ActivatorUtilities.CreateFactory(type, []);
        return async (services, context, parameters, cancellationToken) =>
        {
            var target = factory(services, []);
            try
            {
                return await call.InvokeAsync(target, services, context, parameters, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await EndAsync(target).ConfigureAwait(false);
            }
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
    private sealed class Call
    {
        private readonly MethodInvoker _method;
        private readonly ParameterBinder _parameters;
        private readonly Func<object?, ValueTask<JsonElement>> _result;

        public Call(MethodInfo method, Type? whole, BindingHost host, string place)
        {
            if (method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute)))
            {
                throw new ArgumentException($"{place}: the handler is async void, so nobody could see it end or fail. Let it return a Task.");
            }

            _method = MethodInvoker.Create(method);
            _parameters = new ParameterBinder(method, whole, host, place);
            _result = ResultWriter.For(method.ReturnType, host.Serializing);
        }

        public ValueTask<JsonElement> InvokeAsync(
            object? target, IServiceProvider services, StageContext context, JsonElement parameters, CancellationToken cancellationToken)
        {
            var arguments = _parameters.Bind(services, context, parameters, cancellationToken);
            return _result(_method.Invoke(target, arguments.AsSpan()));
        }
    }
}
