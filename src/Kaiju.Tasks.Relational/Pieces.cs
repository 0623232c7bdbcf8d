namespace Kaiju.Tasks.Relational;

/// <summary>
/// The bounds of statements and of batches. A statement with all of its arguments must fit into one message to the
/// server, and several times into memory. See docs/decisions/0011.
/// </summary>
internal static class Pieces
{
    /// <summary>The most items of a piece.</summary>
    public const int Most = 1000;

    /// <summary>The most bytes of definitions or results in a piece, about; a single item may be larger.</summary>
    public const long MostBytes = 16 * 1024 * 1024;

    /// <summary>The size of all items in bytes.</summary>
    public static long SizeOf<T>(IReadOnlyList<T> items, Func<T, long> sizeOf)
    {
        var bytes = 0L;
        for (var i = 0; i < items.Count; i++)
        {
            bytes += sizeOf(items[i]);
        }

        return bytes;
    }

    /// <summary>Divides items, in their order, into as few pieces as the bounds allow; nearly always one.</summary>
    public static IReadOnlyList<IReadOnlyList<T>> Of<T>(IReadOnlyList<T> items, Func<T, long> sizeOf)
    {
        if (items.Count <= Most && SizeOf(items, sizeOf) <= MostBytes)
        {
            return [items];
        }

        var pieces = new List<IReadOnlyList<T>>();
        var piece = new List<T>();
        var bytes = 0L;
        foreach (var item in items)
        {
            var size = sizeOf(item);
            if (piece.Count == Most || (piece.Count > 0 && bytes + size > MostBytes))
            {
                pieces.Add(piece);
                (piece, bytes) = ([], 0);
            }

            piece.Add(item);
            bytes += size;
        }

        pieces.Add(piece);
        return pieces;
    }
}
