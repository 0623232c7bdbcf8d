namespace Kaiju.Tasks.Storage.Memory;

/// <summary>A place in the order in which tasks are listed: by creation, then by id.</summary>
internal readonly record struct CreationKey(long CreatedTicks, string Id) : IComparable<CreationKey>
{
    public static CreationKey Of(TaskCursor cursor) => new(cursor.Created.UtcTicks, cursor.Id);

    public int CompareTo(CreationKey other)
    {
        var order = CreatedTicks.CompareTo(other.CreatedTicks);
        return order != 0 ? order : string.CompareOrdinal(Id, other.Id);
    }
}
