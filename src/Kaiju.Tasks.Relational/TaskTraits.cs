namespace Kaiju.Tasks.Relational;

/// <summary>
/// What of a definition the end of a stage depends on, so that its statement need not read the definition.
/// </summary>
[Flags]
internal enum TaskTraits
{
    Periodic = 1,
    System = 2,
    Notifies = 4,
    Chains = 8,
}
