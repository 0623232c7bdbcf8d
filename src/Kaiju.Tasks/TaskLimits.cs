namespace Kaiju.Tasks;

/// <summary>
/// The limits of a task. They are checked when a task is created; results and errors when they are recorded. One
/// <see cref="TaskValidationException"/> names all violations. The defaults of stages, retries and timeouts are those
/// of the Python original.
/// </summary>
public sealed class TaskLimits
{
    /// <summary>The most commands of a task. Default 100.</summary>
    public int MaxStages { get; init; } = 100;

    /// <summary>The most retries that a task may ask for. Default 10.</summary>
    public int MaxRetries { get; init; } = 10;

    /// <summary>The shortest <c>max_exec_timeout</c>. Default 10 s.</summary>
    public TimeSpan MinExecTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The <c>max_exec_timeout</c> of tasks that set none. Default 300 s.</summary>
    public TimeSpan DefaultExecTimeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>
    /// The longest <c>max_exec_timeout</c>, and the longest <c>max_timeout</c> of an ordinary command. Default 14,400
    /// s.
    /// </summary>
    public TimeSpan MaxExecTimeout { get; init; } = TimeSpan.FromSeconds(14_400);

    /// <summary>The longest timer, and the longest <c>max_timeout</c> of a message wait. Default 366 days.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromDays(366);

    /// <summary>The most characters of an id. Default 200.</summary>
    public int MaxIdLength { get; init; } = 200;

    /// <summary>
    /// The most bytes of one command's <c>params</c>, as UTF-8 JSON, before and after their templates are filled.
    /// Default 1 MiB.
    /// </summary>
    public int MaxParamsBytes { get; init; } = 1024 * 1024;

    /// <summary>The most bytes of one stage's result or of one message, as UTF-8 JSON. Default 1 MiB.</summary>
    public int MaxResultBytes { get; init; } = 1024 * 1024;

    /// <summary>The most bytes of <c>kws</c>, as UTF-8 JSON. Default 1 MiB.</summary>
    public int MaxKwsBytes { get; init; } = 1024 * 1024;

    /// <summary>The most bytes of a whole definition, as UTF-8 JSON. Default 16 MiB.</summary>
    public int MaxDefinitionBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>The deepest nesting of JSON in params, kws, meta and results, and of templates. Default 64.</summary>
    public int MaxJsonDepth { get; init; } = 64;

    /// <summary>
    /// The most steps to fill one command's templates and to evaluate its condition. Default 100,000.
    /// </summary>
    public int MaxTemplateSteps { get; init; } = 100_000;

    /// <summary>The most bytes of an error, as UTF-8 JSON; longer errors are cut. Default 8 KiB.</summary>
    public int MaxErrorBytes { get; init; } = 8 * 1024;

    /// <summary>The greatest <see cref="MaxRetries"/> that a host can set.</summary>
    internal const int MostRetries = 1_000_000;

    /// <summary>The longest <see cref="MaxWait"/> that a host can set.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromDays(36_600);

    /// <summary>The most characters of a name: of an app, a group, a user, a command.</summary>
    internal const int MaxNameLength = 200;
}
