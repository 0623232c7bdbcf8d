namespace Kaiju.Tasks.Storage;

/// <summary>The kinds of changes in a <see cref="StoreHint"/>.</summary>
[Flags]
public enum StoreHintKinds
{
    /// <summary>No change.</summary>
    None = 0,

    /// <summary>A manager may have a duty that is due, or due earlier than it expects.</summary>
    Duty = 1,

    /// <summary>There may be a task to claim.</summary>
    Queued = 2,

    /// <summary>A run may have ended, or been reset or deleted.</summary>
    Ended = 4,

    /// <summary>A claim may have been lost by its holder.</summary>
    ClaimLost = 8,

    /// <summary>A notification may have been stored.</summary>
    Notified = 16,

    /// <summary>Any kind of change; for a store that only knows that something changed.</summary>
    All = Duty | Queued | Ended | ClaimLost | Notified,
}
