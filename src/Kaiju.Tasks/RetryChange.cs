using System.Text.Json;

namespace Kaiju.Tasks.Storage;

/// <summary>The changes with which a run begins a new pass when it is retried by hand, checked by the client.</summary>
public sealed class RetryChange
{
    /// <summary>The first stage of the new pass. Default: null, for the stage that failed.</summary>
    public int? FromStage { get; init; }

    /// <summary>The new params of that stage. Default: undefined, for no change.</summary>
    public JsonElement Params { get; init; }

    /// <summary>The new kws. Default: undefined, for no change.</summary>
    public JsonElement Kws { get; init; }
}
