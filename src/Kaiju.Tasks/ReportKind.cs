namespace Kaiju.Tasks.Storage;

/// <summary>What kind of thing a report says of its stage.</summary>
public enum ReportKind
{
    /// <summary>The stage is done; here is its result.</summary>
    Completed = 0,

    /// <summary>The stage failed.</summary>
    Failed = 1,

    /// <summary>The task is to wait.</summary>
    Waiting = 2,
}
