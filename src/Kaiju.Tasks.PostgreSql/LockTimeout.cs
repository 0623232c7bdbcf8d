using System.Globalization;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// How long a statement waits for a row, an id or a table that another transaction holds. Held rows are rare and a
/// batch must not wait for one of its rows, so the plain statements run under a short timeout, and only a statement
/// that meets it is followed by one that passes over.
/// </summary>
internal static class LockTimeout
{
    /// <summary>
    /// Much longer than our own transactions hold a row, much shorter than a stage may wait for its record.
    /// </summary>
    public static readonly TimeSpan Value = TimeSpan.FromMilliseconds(50);

    private static readonly string _milliseconds = Value.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>The timeout as an option of every connection of a pool that is ours alone.</summary>
    public static string Option => $"-c lock_timeout={_milliseconds}";

    private static string Expression => $"set_config('lock_timeout', '{_milliseconds}', true)";

    /// <summary>True if the data source's connections have the timeout already.</summary>
    public static bool IsIn(NpgsqlDataSource dataSource) =>
        new NpgsqlConnectionStringBuilder(dataSource.ConnectionString).Options?.Contains(
            Option, StringComparison.Ordinal) == true;

    /// <summary>
    /// The words by which a statement limits its own waits, and those of its transaction. A materialized CTE that is
    /// joined is evaluated before the first row is locked or written, and <c>set_config(…, true)</c> leaves nothing
    /// behind in the session.
    /// </summary>
    /// <param name="isLimited">False: nothing is put in.</param>
    public static IReadOnlyDictionary<string, string> Words(bool isLimited) => new Dictionary<string, string>
    {
        ["limit"] = isLimited ? $", {Expression} as limited" : "",
        ["limited"] = isLimited ? $"with l as materialized (select {Expression} as limited) " : "",
        ["limits"] = isLimited ? "l cross join " : "",
        ["from_limit"] = isLimited ? " from l" : "",
    };

    /// <summary>Lets the statements of a transaction wait as long as they must; migrations do.</summary>
    public static async Task LiftAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var lift = new NpgsqlCommand("set local lock_timeout = 0", connection);
        await lift.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
