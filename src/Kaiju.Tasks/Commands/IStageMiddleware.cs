using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Kaiju.Tasks;

/// <summary>
/// Wraps every call of a handler, for example to measure or log it, to open resources for it, or to replace its result
/// exception or outcome. Add it with <see cref="KaijuTasksBuilder.AddStageMiddleware{T}"/>; the first middleware is the
/// outermost. It is not called for skipped stages or special commands.
/// </summary>
public interface IStageMiddleware
{
    /// <summary>Runs the middleware, which usually calls <paramref name="next"/>.</summary>
    /// <param name="context">The context of the stage.</param>
    /// <param name="parameters">The params with their templates filled; undefined without params.</param>
    /// <param name="next">
    /// The next middleware or the handler. It may be called with other params, more than once, or not at all.
    /// </param>
    /// <param name="cancellationToken">Cancelled when the stage must stop.</param>
    /// <returns>
    /// The outcome of the stage: that of <paramref name="next"/>, or another one, such as
    /// <see cref="StageOutcome.Completed(JsonElement)"/>. An exception fails the stage.
    /// </returns>
    [SuppressMessage("Naming", "CA1716", Justification = "The field's word, as in ASP.NET's IMiddleware.")]
    ValueTask<StageOutcome> InvokeAsync(
        StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken);
}

/// <summary>Calls the next middleware or the handler.</summary>
/// <param name="parameters">The params for the call.</param>
/// <param name="cancellationToken">The token for the call, cancelled when the stage must stop.</param>
public delegate ValueTask<StageOutcome> StageDelegate(JsonElement parameters, CancellationToken cancellationToken);
