namespace Kaiju.Tasks.Client;

/// <summary>One question of the client to the store, as its exceptions describe it.</summary>
/// <param name="Member">The member of <see cref="ITaskClient"/> that asks.</param>
/// <param name="TaskId">The task that it is about; null if it is about none or many.</param>
/// <param name="MayChange">The question, or an earlier one of the same call, may change something.</param>
/// <param name="UsesConnection">
/// The store uses the caller's own connection, which nothing else may use before the store has let go of it.
/// </param>
internal readonly record struct ClientCall(string Member, string? TaskId, bool MayChange, bool UsesConnection = false)
{
    public static ClientCall Read(string member, string? taskId = null) => new(member, taskId, MayChange: false);

    public static ClientCall Write(string member, string? taskId = null) => new(member, taskId, MayChange: true);

    public override string ToString() => TaskId is null ? Member : $"{Member} of task \"{TaskId}\"";
}
