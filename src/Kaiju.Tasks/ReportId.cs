namespace Kaiju.Tasks.Storage;

/// <summary>
/// The identity of a report. A claim sends at most one report of each kind about each stage. So a report that was
/// recorded, and whose answer was lost, is recognised when it is sent again.
/// </summary>
/// <param name="Claim">The claim under which the stage ran.</param>
/// <param name="Stage">The stage, from 0.</param>
/// <param name="Kind">The kind of the report.</param>
public readonly record struct ReportId(Guid Claim, int Stage, ReportKind Kind);
