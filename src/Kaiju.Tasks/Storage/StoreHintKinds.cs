namespace Kaiju.Tasks.Storage;

/// <summary>What a hint is about.</summary>
[Flags]
public enum StoreHintKinds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A manager may have something to do, or earlier than it knew.</summary>
    Duty = 1,

    /// <summary>A task may be there to claim.</summary>
    Queued = 2,

    /// <summary>A run may have ended, or been reset or deleted.</summary>
    Ended = 4,

    /// <summary>A claim may have been lost by its holder.</summary>
    ClaimLost = 8,

    /// <summary>A notification may have been left.</summary>
    Notified = 16,

    /// <summary>Anything may have happened: what a store tells that knows only that there was something.</summary>
    All = Duty | Queued | Ended | ClaimLost | Notified,
}
