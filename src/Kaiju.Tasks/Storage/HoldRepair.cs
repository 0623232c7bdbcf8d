namespace Kaiju.Tasks.Storage;

/// <summary>A store's answer to one step of <see cref="IManagerDuties.RepairHoldsAsync"/>.</summary>
public sealed class HoldRepair
{
    /// <summary>The number of tasks whose hold has changed.</summary>
    public required int Changed { get; init; }

    /// <summary>True if the step reached its limit, so that more tasks may have an outdated hold.</summary>
    public required bool HasMore { get; init; }

    /// <summary>
    /// The apps and methods of held tasks that no living executor knows, at most <see cref="MostUnroutable"/>.
    /// </summary>
    public required IReadOnlyList<(string AppName, string Method)> Unroutable { get; init; }

    /// <summary>The most entries of <see cref="Unroutable"/> in one answer, 100.</summary>
    public const int MostUnroutable = 100;
}
