namespace Kaiju.Tasks.Storage;

/// <summary>
/// Hints that something has changed.
/// </summary>
public interface ITaskHints
{
    /// <summary>
    /// Asks for hints that something has changed. Hints may be lost, late, doubled or for nothing; whoever asks polls
    /// as well.
    /// </summary>
    /// <param name="listener">Called on any thread; returns at once and throws nothing.</param>
    /// <returns>Ends it.</returns>
    IDisposable Listen(Action<StoreHint> listener);
}
