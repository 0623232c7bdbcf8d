namespace Kaiju.Tasks.Contracts.Model;

/// <summary>Checks the choice of a store among due tasks.</summary>
internal static class Choice
{
    /// <summary>
    /// The store must take the expected number of tasks, and must not leave one that comes strictly before a taken one.
    /// It may choose freely among equal ones.
    /// </summary>
    public static void Check(
        string what, Dictionary<string, IComparable> due, IReadOnlyList<string> taken, int count)
    {
        var left = due.Keys.Except(taken).ToList();
        var shown =
            $"{what}: the store took [{string.Join(", ", taken)}] of "
                + $"[{string.Join(", ", due.OrderBy(task => task.Value).Select(task => task.Key))}]";
        if (taken.Count != count || taken.Distinct().Count() != count || !taken.All(due.ContainsKey))
        {
            Difference.Fail($"{shown}; the model takes {count}.");
        }

        if (left.Count > 0 && count > 0 && taken.Max(id => due[id])!.CompareTo(left.Min(id => due[id])) > 0)
        {
            Difference.Fail($"{shown}; a task that was left comes before one that was taken.");
        }
    }
}
