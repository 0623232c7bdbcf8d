using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>The objects that the parts of a store share.</summary>
/// <param name="Rules">The host's rules.</param>
/// <param name="Next">The lifecycle, or a test's replacement for it.</param>
/// <param name="Ids">The generator of ids.</param>
/// <param name="Sql">The adapter's statements.</param>
/// <param name="Clock">The machine's clock, for pauses.</param>
/// <param name="Logger">The adapter's logger.</param>
internal sealed record StoreParts(
    LifecycleRules Rules, LifecycleFunction Next, IdSource Ids, SqlTexts Sql, TimeProvider Clock, ILogger Logger)
{
    /// <summary>The listeners of this process.</summary>
    public HintListeners Listeners { get; } = new(e => RelationalLog.ListenerFailed(Logger, e));

    /// <summary>The tasks that this process sets aside. See docs/decisions/0010.</summary>
    public RowsAside Aside { get; } = new(Clock, Logger);

    /// <summary>The executors of this process for which pauses or holds matter.</summary>
    public RoutesSeen Routes { get; } = new(Clock);

    public string NewJobId() => Ids.NewId().ToString();
}
