namespace Kaiju.Tasks.Storage;

/// <summary>An executor's last sign of life.</summary>
/// <param name="ExecutorId">Who.</param>
/// <param name="LastPing">When, by the store's clock.</param>
public readonly record struct ExecutorPing(string ExecutorId, DateTimeOffset LastPing);
