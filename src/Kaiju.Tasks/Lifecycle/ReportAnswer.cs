namespace Kaiju.Tasks.Lifecycle;

/// <summary>The store's answers to a report.</summary>
public enum ReportAnswer
{
    /// <summary>The report is recorded, now or by an earlier delivery of it.</summary>
    Recorded = 0,

    /// <summary>
    /// The task has another claim or stage by now. Nothing was changed, and the executor must stop its work on the
    /// task.
    /// </summary>
    Superseded = 1,
}
