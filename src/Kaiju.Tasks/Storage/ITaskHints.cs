namespace Kaiju.Tasks.Storage;

/// <summary>The subscription to hints that something has changed.</summary>
public interface ITaskHints
{
    /// <summary>
    /// Subscribes to hints that something has changed. A hint may be lost, late, doubled or wrong, so every listener
    /// must poll as well. See docs/decisions/0003.
    /// </summary>
    /// <param name="listener">The listener; called on any thread. It must return at once and must not throw.</param>
    /// <returns>An object that ends the subscription when it is disposed.</returns>
    IDisposable Listen(Action<StoreHint> listener);
}
