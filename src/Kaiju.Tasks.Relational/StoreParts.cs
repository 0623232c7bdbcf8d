using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>What the parts of a store share.</summary>
/// <param name="Rules">The host's rules.</param>
/// <param name="Next">The lifecycle, or what a test puts in its place.</param>
/// <param name="Ids">Where ids come from.</param>
/// <param name="Sql">The adapter's statements.</param>
/// <param name="Clock">The machine's clock, for pauses.</param>
/// <param name="Logger">The adapter's logger, behind its guard.</param>
internal sealed record StoreParts(
    LifecycleRules Rules, LifecycleFunction Next, IdSource Ids, SqlTexts Sql, TimeProvider Clock, ILogger Logger)
{
    /// <summary>The listeners of this process.</summary>
    public HintListeners Listeners { get; } = new(e => RelationalLog.ListenerFailed(Logger, e));

    /// <summary>The tasks that this process leaves alone for a while.</summary>
    public RowsAside Aside { get; } = new(Clock, Logger);

    public string NewJobId() => Ids.NewId().ToString();
}
