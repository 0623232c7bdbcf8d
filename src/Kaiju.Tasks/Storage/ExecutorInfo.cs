namespace Kaiju.Tasks.Storage;

/// <summary>An executor, as the store and the queue know it.</summary>
/// <param name="Id">New at every start.</param>
/// <param name="AppName">The app of its host.</param>
/// <param name="Apps">The apps whose tasks it runs.</param>
/// <param name="Capacity">How many tasks it runs at once.</param>
public sealed record ExecutorInfo(string Id, string AppName, IReadOnlyList<string> Apps, int Capacity);
