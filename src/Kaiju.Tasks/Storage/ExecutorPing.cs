namespace Kaiju.Tasks.Storage;

/// <summary>The last ping of an executor.</summary>
/// <param name="executorId">The executor's id.</param>
/// <param name="lastPing">The time of the ping, by the store's clock.</param>
public readonly struct ExecutorPing(string executorId, DateTimeOffset lastPing)
{
    /// <summary>The executor's id.</summary>
    public string ExecutorId { get; } = executorId;

    /// <summary>The time of the ping, by the store's clock.</summary>
    public DateTimeOffset LastPing { get; } = lastPing;
}
