namespace Kaiju.Tasks.Storage;

/// <summary>The kinds of reports about a stage.</summary>
public enum ReportKind
{
    /// <summary>The stage completed with a result.</summary>
    Completed = 0,

    /// <summary>The stage failed.</summary>
    Failed = 1,

    /// <summary>The stage waits for a time or a message.</summary>
    Waiting = 2,

    /// <summary>The executor does not know the stage's command, and puts the task back into the queue.</summary>
    PutBack = 3,
}
