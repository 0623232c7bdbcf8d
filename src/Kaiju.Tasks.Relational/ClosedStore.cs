namespace Kaiju.Tasks.Relational;

/// <summary>A store that is asked after it was disposed of.</summary>
internal static class ClosedStore
{
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public static void ThrowIf(bool isClosed)
    {
        if (isClosed)
        {
            throw Fault();
        }
    }

    /// <summary>Says so in the caller's words, without the types that the store is made of.</summary>
    public static ObjectDisposedException Fault() => new(
        objectName: null,
        "The task store was disposed of with its host or service provider; the step was not carried out.");
}
