namespace Kaiju.Tasks.Storage;

/// <summary>
/// The caller of a step, and the tasks that it may reach. A store decides by <see cref="Scope"/> alone; the rest is for
/// stores that record the callers of changes.
/// </summary>
public sealed class CallContext
{
    /// <summary>An unknown caller that may reach every task.</summary>
    public static CallContext Empty { get; } = new();

    /// <summary>The caller's name, such as that of a user or a service. Default: null, for unknown.</summary>
    public string? Actor { get; init; }

    /// <summary>
    /// The origin of the call, such as the name of a page or a program. Default: null, for unknown.
    /// </summary>
    public string? Origin { get; init; }

    /// <summary>
    /// The id of the request that the call belongs to, such as a trace id. Default: null, for none.
    /// </summary>
    public string? RequestId { get; init; }

    /// <summary>The tasks that the caller may reach. Default: null, for all.</summary>
    public TaskScope? Scope { get; init; }
}
