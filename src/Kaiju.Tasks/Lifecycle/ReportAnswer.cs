namespace Kaiju.Tasks.Lifecycle;

/// <summary>What the store answers a report.</summary>
public enum ReportAnswer
{
    /// <summary>It is recorded, now or by an earlier delivery of the same report.</summary>
    Recorded = 0,

    /// <summary>
    /// The claim or the stage is no longer the task's; nothing was changed. The executor stops all work on it.
    /// </summary>
    Superseded = 1,
}
