using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>Statements about claims that several steps share.</summary>
internal static class ClaimRows
{
    /// <summary>Finds the claims that are not held any more.</summary>
    public static async ValueTask<IReadOnlyList<Guid>> FindLostAsync(SqlStep step, IReadOnlyList<HeldClaim> claims)
    {
        if (claims.Count == 0)
        {
            return [];
        }

        var held = await step.QueryAsync(
            "held_claims",
            row => row.GetGuid(0),
            Argument.Texts("ids", claims.Select(claim => claim.TaskId)),
            Argument.Uuids("claims", claims.Select(claim => claim.Claim))).ConfigureAwait(false);
        return [.. claims.Select(claim => claim.Claim).Except(held)];
    }

    /// <summary>Finds claims that the store holds for an executor and the executor does not list.</summary>
    public static async ValueTask<IReadOnlyList<HeldClaim>> FindStraysAsync(
        SqlStep step, string executorId, IReadOnlyList<HeldClaim> known, int limit) => await step.QueryAsync(
        "stray_claims",
        row => new HeldClaim(row.GetString(0), row.GetGuid(1)),
        Argument.Text("executor", executorId),
        Argument.Uuids("claims", known.Select(claim => claim.Claim)),
        Argument.Integer("most", limit)).ConfigureAwait(false);

    /// <summary>
    /// Registers an executor with its first claim, so that it is found dead if it dies before its first ping.
    /// </summary>
    public static async ValueTask KnowAsync(SqlStep step, ExecutorInfo executor)
    {
        var ping = Ticks.Of(await step.NowAsync().ConfigureAwait(false));
        await step.ExecuteAsync(
            "know_executor", Argument.Text("executor", executor.Id), Argument.Long("ping", ping)).ConfigureAwait(false);
    }

    /// <summary>Reads the results of a pass, in the order of their stages.</summary>
    public static async ValueTask<IReadOnlyList<System.Text.Json.JsonElement>> ResultsAsync(
        SqlStep step, long taskNo, int runNo, int pass) => (await step.QueryAsync(
        "results_of",
        reader => reader.Results(0),
        Argument.Long("task_no", taskNo),
        Argument.Integer("run_no", runNo),
        Argument.Integer("pass", pass)).ConfigureAwait(false))[0];
}
