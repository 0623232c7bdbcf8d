namespace Kaiju.Tasks.Storage;

/// <summary>What was done with an update.</summary>
public enum UpdateResult
{
    /// <summary>The definition is stored.</summary>
    Updated = 0,

    /// <summary>There is no such task.</summary>
    Missing = 1,

    /// <summary>The stored definition is of another revision; read it again.</summary>
    Stale = 2,

    /// <summary>The task's state does not allow it.</summary>
    Refused = 3,
}
