namespace Kaiju.Tasks.Relational;

/// <summary>
/// The bounds of everything that is carried out together. A statement with all of its arguments must fit into one
/// message to the server, and into memory several times.
/// </summary>
internal static class Pieces
{
    /// <summary>About how many items.</summary>
    public const int Most = 1000;

    /// <summary>About how many bytes of definitions or results, unless one item alone has more.</summary>
    public const long MostBytes = 16 * 1024 * 1024;

    /// <summary>The bytes of all items.</summary>
    public static long SizeOf<T>(IReadOnlyList<T> items, Func<T, long> sizeOf)
    {
        var bytes = 0L;
        for (var i = 0; i < items.Count; i++)
        {
            bytes += sizeOf(items[i]);
        }

        return bytes;
    }

    /// <summary>The items in their order, in as few pieces as the bounds allow; nearly always in one.</summary>
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
