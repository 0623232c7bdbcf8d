namespace Kaiju.Tasks.Relational;

/// <summary>
/// The facts of a definition that decide the end of a stage, kept in a column so that the statement need not read the
/// definition.
/// </summary>
[Flags]
internal enum TaskTraits
{
    Periodic = 1,
    System = 2,
    Notifies = 4,
    Chains = 8,

    /// <summary>
    /// A definition waits for the next run. It has a column of its own, which older versions leave alone.
    /// </summary>
    Waits = 64,
}
