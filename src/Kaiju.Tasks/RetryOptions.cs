using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks;

/// <summary>
/// The changes with which a run is retried by hand (<see cref="ITaskClient.RetryAsync(string, RetryOptions,
/// CancellationToken)"/>). They hold for this run only.
/// </summary>
public sealed class RetryOptions
{
    private JsonInput _params;
    private JsonInput _kws;

    /// <summary>
    /// The stage at which the run begins its new pass: at least 0, at most the stage that failed. Default: null, for
    /// the stage that failed.
    /// </summary>
    public int? FromStage { get; init; }

    /// <summary>
    /// The params of the stage <see cref="FromStage"/>, in place of those of the definition. Default: null, for no
    /// change.
    /// </summary>
    public object? Params
    {
        get => _params.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _params = JsonInput.Of(value);
    }

    /// <summary><see cref="Params"/> as JSON; undefined if they are null or not written yet.</summary>
    public JsonElement ParamsJson
    {
        get => _params.Json;
        init => _params = new JsonInput(value);
    }

    /// <summary>
    /// The kws of the run, in place of those of the definition. Default: null, for no change.
    /// </summary>
    public object? Kws
    {
        get => _kws.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _kws = JsonInput.Of(value);
    }

    /// <summary><see cref="Kws"/> as JSON; undefined if they are null or not written yet.</summary>
    public JsonElement KwsJson
    {
        get => _kws.Json;
        init => _kws = new JsonInput(value);
    }

    /// <summary>The stage and the sizes of the changes.</summary>
    public override string ToString() =>
        $"From stage {FromStage?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "that failed"}"
            + $" (params: {_params.SizeText}, kws: {_kws.SizeText})";

    internal JsonInput ParamsInput => _params;

    internal JsonInput KwsInput => _kws;
}
