namespace Kaiju.Tasks.Storage.Memory;

/// <summary>A place in the order in which tasks are listed: by creation, then by id.</summary>
/// <param name="CreatedTicks">The time of the task's creation, in ticks.</param>
/// <param name="Id">The task's id.</param>
/// <param name="Task">The task at the place; null for the place after which a page begins.</param>
internal readonly record struct CreationKey(long CreatedTicks, string Id, MemoryTask? Task) : IComparable<CreationKey>
{
    public static CreationKey Of(MemoryTask task) => new(task.Created.UtcTicks, task.Id, task);

    public static CreationKey Of(TaskCursor cursor) => new(cursor.Created.UtcTicks, cursor.Id, null);

    public int CompareTo(CreationKey other)
    {
        var order = CreatedTicks.CompareTo(other.CreatedTicks);
        return order != 0 ? order : string.CompareOrdinal(Id, other.Id);
    }
}
