using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Kaiju.Tasks;

/// <summary>
/// Stands around every call of a handler: to measure, to log, to open what a handler needs, to turn its result or its
/// exception into another. Added with <see cref="KaijuTasksBuilder.AddStageMiddleware{T}"/>; the first that is added is
/// the outermost. Not called for stages that are skipped, nor for special commands.
/// </summary>
public interface IStageMiddleware
{
    /// <summary>Calls the next middleware or the handler, or neither.</summary>
    /// <param name="context">The stage.</param>
    /// <param name="parameters">The filled params; undefined if there are none.</param>
    /// <param name="next">
    /// The next middleware, or the handler. May be called with other params, more than once, or not at all.
    /// </param>
    /// <param name="cancellationToken">Cancelled when the stage must stop.</param>
    /// <returns>The stage's result. What is thrown is the stage's failure.</returns>
    [SuppressMessage("Naming", "CA1716", Justification = "The field's word, as in ASP.NET's IMiddleware.")]
    ValueTask<JsonElement> InvokeAsync(
        StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken);
}

/// <summary>The rest of a stage's invocation.</summary>
/// <param name="parameters">The params to go on with.</param>
/// <param name="cancellationToken">The token to go on with.</param>
public delegate ValueTask<JsonElement> StageDelegate(JsonElement parameters, CancellationToken cancellationToken);
