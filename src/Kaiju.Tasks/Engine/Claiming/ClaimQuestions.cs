using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// An executor's questions about claims, beside its pings. They may share the pings' connection, so that their waits
/// are bounded well below those of pings.
/// </summary>
internal sealed class ClaimQuestions(string executorId, ITaskStore store, TimeProvider clock, KaijuTasksOptions options)
{
    /// <summary>How many strays a search finds at most. What is left over is found by a later one.</summary>
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
        return await bound.WaitAsync(ask(bound.Token), "a question about claims").ConfigureAwait(false);
    }
}
