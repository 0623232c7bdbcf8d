namespace Kaiju.Tasks.Storage;

/// <summary>How a batch of new tasks is cut for stores that insert many rows at once.</summary>
internal static class CreationWaves
{
    /// <summary>
    /// Cuts a batch so that no wave has an id twice: the second task of an id conflicts with the first one, as it would if they were
    /// created one after the other.
    /// </summary>
    /// <param name="tasks">The batch.</param>
    /// <returns>For each wave the positions of its tasks in the batch.</returns>
    public static IEnumerable<IEnumerable<int>> Cut(IReadOnlyList<TaskDefinition> tasks) =>
        from same in Enumerable.Range(0, tasks.Count).GroupBy(place => tasks[place].Id, StringComparer.Ordinal)
        from occurrence in same.Index()
        group occurrence.Item by occurrence.Index;
}
