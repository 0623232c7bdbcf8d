namespace Kaiju.Tasks.Relational;

/// <summary>What a step must know of the tries before this one.</summary>
[Flags]
internal enum StepTry
{
    /// <summary>Nothing: there was none, or it was taken back.</summary>
    First = 0,

    /// <summary>The step was tried before, and it is not known whether that has happened.</summary>
    MayHaveHappened = 1,

    /// <summary>
    /// The step met a row that another transaction holds: now it leaves out what it would have to wait for.
    /// </summary>
    PassesOverHeld = 2,
}
