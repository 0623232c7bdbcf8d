using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using Kaiju.Tasks.Serialization;

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
        return Bind(handler.Method, _ => target, whole, host, place);
    }

    /// <summary>The handler of a method, whose object each stage gets anew.</summary>
    public static CommandHandler Bind(MethodInfo method, Func<IServiceProvider, object?> target, Type? whole, BindingHost host, string place)
    {
        var parameters = new ParameterBinder(method, whole, host, place);
        var result = ResultWriter.For(method.ReturnType, host.Serializing);
        return (services, context, json, cancellationToken) =>
        {
            var arguments = parameters.Bind(services, context, json, cancellationToken);
            return result(method.Invoke(target(services), BindingFlags.DoNotWrapExceptions, null, arguments, null));
        };
    }
}
