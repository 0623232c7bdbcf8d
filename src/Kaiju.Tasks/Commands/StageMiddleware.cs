using System.Text.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>A registered middleware, resolved from the scope of each stage.</summary>
/// <param name="Type">The type of the middleware, which is a registered service.</param>
/// <param name="Resolve">The function that resolves it from the scope.</param>
internal sealed record StageMiddleware(Type Type, Func<IServiceProvider, IStageMiddleware> Resolve)
{
    /// <summary>Calls the handler with all middlewares around it, the first one outermost.</summary>
    public static ValueTask<StageOutcome> InvokeAsync(
        StageMiddleware[] all,
        IServiceProvider services,
        StageContext context,
        CommandHandler handler,
        JsonElement parameters,
        CancellationToken cancellationToken) =>
        all.Length == 0
            ? handler(services, context, parameters, cancellationToken)
            : Around(all, services, context, handler)(parameters, cancellationToken);

    private static StageDelegate Around(
        IEnumerable<StageMiddleware> all, IServiceProvider services, StageContext context, CommandHandler handler)
    {
        StageDelegate call = (parameters, cancellationToken) =>
            handler(services, context, parameters, cancellationToken);
        foreach (var registered in all.Reverse())
        {
            var (middleware, next) = (registered.Resolve(services), call);
            call = (parameters, cancellationToken) =>
                middleware.InvokeAsync(context, parameters, next, cancellationToken);
        }

        return call;
    }
}
