namespace Kaiju.Tasks.Storage;

/// <summary>
/// A report's own name. A claim reports at most one thing of one kind about one stage, so that this is enough to know a
/// report again that was carried out while its answer got lost.
/// </summary>
/// <param name="Claim">The claim under which the stage ran.</param>
/// <param name="Stage">The stage.</param>
/// <param name="Kind">What it says.</param>
public readonly record struct ReportId(Guid Claim, int Stage, ReportKind Kind);
