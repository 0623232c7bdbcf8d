namespace Kaiju.Tasks.Client;

/// <summary>One call of the client to the store, as the messages of exceptions describe it.</summary>
/// <param name="Member">The name of the calling member of <see cref="ITaskClient"/>.</param>
/// <param name="TaskId">The id of the task; null if the call concerns no task or several.</param>
/// <param name="MayChange">True if this call, or an earlier one of the same member, may change data.</param>
/// <param name="UsesConnection">
/// True if the store uses the caller's connection, which must not be used until the store has finished.
/// </param>
internal readonly record struct ClientCall(string Member, string? TaskId, bool MayChange, bool UsesConnection = false)
{
    public static ClientCall Read(string member, string? taskId = null) => new(member, taskId, MayChange: false);

    public static ClientCall Write(string member, string? taskId = null) => new(member, taskId, MayChange: true);

    public override string ToString() => TaskId is null ? Member : $"{Member} of task \"{TaskId}\"";
}
