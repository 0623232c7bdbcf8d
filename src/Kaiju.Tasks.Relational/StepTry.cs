namespace Kaiju.Tasks.Relational;

/// <summary>Flags about the earlier tries of a step. See docs/decisions/0014.</summary>
[Flags]
internal enum StepTry
{
    /// <summary>There was no earlier try, or it was rolled back.</summary>
    First = 0,

    /// <summary>The step was tried before, and that try may have been committed.</summary>
    MayHaveHappened = 1,

    /// <summary>
    /// An earlier try met a row that another transaction holds: this try skips such rows instead of waiting for them.
    /// </summary>
    PassesOverHeld = 2,
}
