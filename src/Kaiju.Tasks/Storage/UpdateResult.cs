namespace Kaiju.Tasks.Storage;

/// <summary>The result of an update of a definition.</summary>
public enum UpdateResult
{
    /// <summary>The new definition is stored.</summary>
    Updated = 0,

    /// <summary>There is no such task.</summary>
    Missing = 1,

    /// <summary>The stored definition has another revision; read it again.</summary>
    Stale = 2,

    /// <summary>The update is not allowed in the task's state.</summary>
    Refused = 3,
}
