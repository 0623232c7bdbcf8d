using System.Globalization;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// The longest time that a statement waits for a row, an id or a table that another transaction holds. Held rows are
/// rare, and a batch must not wait for one of its rows. So the plain statements run with a short timeout; if it
/// expires, a statement that skips held rows follows.
/// </summary>
internal static class LockTimeout
{
    /// <summary>
    /// 50 ms: much longer than the store's own transactions hold a row, and much shorter than a stage may wait for its
    /// record.
    /// </summary>
    public static readonly TimeSpan Value = TimeSpan.FromMilliseconds(50);

    private static readonly string _milliseconds = Value.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>The timeout as an option of every connection in a pool of the store's own.</summary>
    public static string Option => $"-c lock_timeout={_milliseconds}";

    private static string Expression => $"set_config('lock_timeout', '{_milliseconds}', true)";

    /// <summary>True if the data source's connections have the timeout already.</summary>
    public static bool IsIn(NpgsqlDataSource dataSource) =>
        new NpgsqlConnectionStringBuilder(dataSource.ConnectionString).Options?.Contains(
            Option, StringComparison.Ordinal) == true;

    /// <summary>
    /// The words with which a statement limits the lock waits of its transaction. A materialized CTE that is joined is
    /// evaluated before the first row is locked or written. <c>set_config(…, true)</c> leaves no setting in the
    /// session.
    /// </summary>
    /// <param name="isLimited">False: the words are empty.</param>
    public static IReadOnlyDictionary<string, string> Words(bool isLimited) => new Dictionary<string, string>
    {
        ["limit"] = isLimited ? $", {Expression} as limited" : "",
        ["limited"] = isLimited ? $"with l as materialized (select {Expression} as limited) " : "",
        ["limits"] = isLimited ? "l cross join " : "",
        ["from_limit"] = isLimited ? " from l" : "",
    };

    /// <summary>Removes the limit for the statements of a transaction; for a look at the versions.</summary>
    public static Task LiftAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        SetLocalAsync(connection, TimeSpan.Zero, cancellationToken);

    /// <summary>
    /// Sets the limit for the statements of a transaction, which may be idle for as long as it needs; for migrations.
    /// </summary>
    public static async Task SetLocalAsync(
        NpgsqlConnection connection, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var set = new NpgsqlCommand(
            string.Create(
                CultureInfo.InvariantCulture,
                $"set local lock_timeout = {limit.TotalMilliseconds:0}; "
                    + $"set local idle_in_transaction_session_timeout = 0"),
            connection);
        await set.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
