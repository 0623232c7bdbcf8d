namespace Kaiju.Tasks.Storage.Memory;

/// <summary>A place in the order in which tasks are listed: by creation, then by id.</summary>
/// <param name="CreatedTicks">When the task was created.</param>
/// <param name="Id">Its id.</param>
/// <param name="Task">The task that has the place; null for the place where a page begins.</param>
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
