using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Queries and releases of an executor's claims. They may share the connection of its pings, so their timeout is half
/// that of a ping.
/// </summary>
internal sealed class ClaimQuestions(string executorId, ITaskStore store, TimeProvider clock, KaijuTasksOptions options)
{
    /// <summary>The most strays of one search; a later search finds the rest.</summary>
    private const int MostStrays = 1000;

    private readonly TimeSpan _timeout = new PingRhythm(options).QuestionTimeout;

    public Task<IReadOnlyList<Guid>> FindLostAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        AskAsync(token => store.FindLostClaimsAsync(claims, token), cancellationToken);

    public Task<IReadOnlyList<HeldClaim>> FindStraysAsync(
        IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken) =>
        AskAsync(token => store.FindStrayClaimsAsync(executorId, known, MostStrays, token), cancellationToken);

    public Task<IReadOnlyList<TaskMove>> GiveBackAsync(
        IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken) =>
        AskAsync(token => store.GiveBackClaimsAsync(executorId, claims, token), cancellationToken);

    private async Task<T> AskAsync<T>(Func<CancellationToken, ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        using var bound = new BoundedToken(_timeout, clock, cancellationToken);
        return await bound.WaitAsync(ask(bound.Token), "a query about claims").ConfigureAwait(false);
    }
}
