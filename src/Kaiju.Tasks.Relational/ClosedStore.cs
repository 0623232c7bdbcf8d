namespace Kaiju.Tasks.Relational;

/// <summary>The error of calls to a store that was disposed of.</summary>
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

    /// <summary>Creates the error in the caller's words, without the names of the store's internal types.</summary>
    public static ObjectDisposedException Fault() => new(
        objectName: null,
        "The task store was disposed of with its host or service provider; the step did not run.");
}
