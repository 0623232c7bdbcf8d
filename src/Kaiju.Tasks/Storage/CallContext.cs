namespace Kaiju.Tasks.Storage;

/// <summary>
/// Who asks for a step, through what, and of which tasks it may be. Stores decide by <see cref="Scope"/> alone; the
/// rest is there for those that record who did what.
/// </summary>
public sealed class CallContext
{
    /// <summary>Nothing is known of the caller, and every task is in its scope.</summary>
    public static CallContext Empty { get; } = new();

    /// <summary>Who asks, such as the name of a user or a service. Default: null, for unknown.</summary>
    public string? Actor { get; init; }

    /// <summary>
    /// What the call came through, such as the name of a page or a program. Default: null, for unknown.
    /// </summary>
    public string? Origin { get; init; }

    /// <summary>
    /// The id of the request that the call belongs to, such as that of a trace. Default: null, for none.
    /// </summary>
    public string? RequestId { get; init; }

    /// <summary>The tasks that the step may be about. Default: null, for all.</summary>
    public TaskScope? Scope { get; init; }
}
