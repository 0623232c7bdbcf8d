namespace Kaiju.Tasks.Contracts.Model;

/// <summary>What a store may choose of what is due.</summary>
internal static class Choice
{
    /// <summary>
    /// What was taken is as many as there should be, and nothing that was left comes strictly before any of it. Ties
    /// are free.
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
            Difference.Fail($"{shown}, not in their order.");
        }
    }
}
