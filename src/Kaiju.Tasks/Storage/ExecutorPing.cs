namespace Kaiju.Tasks.Storage;

/// <summary>An executor's last sign of life.</summary>
/// <param name="executorId">Who.</param>
/// <param name="lastPing">When, by the store's clock.</param>
public readonly struct ExecutorPing(string executorId, DateTimeOffset lastPing)
{
    /// <summary>Who.</summary>
    public string ExecutorId { get; } = executorId;

    /// <summary>When, by the store's clock.</summary>
    public DateTimeOffset LastPing { get; } = lastPing;
}
