namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// How tasks are kept in PostgreSQL, version 13 or later. Must be the same in every process over one database, but for
/// how it is reached.
/// </summary>
public sealed class PostgreSqlTasksOptions
{
    /// <summary>The schema of the tables: <c>^[a-z_][a-z0-9_]{0,30}\z</c>. Default <c>kaiju_tasks</c>.</summary>
    public string Schema { get; set; } = "kaiju_tasks";

    /// <summary>
    /// True: no LISTEN and NOTIFY, no prepared statements, nothing that a session keeps from one transaction to the
    /// next, as PgBouncer in transaction mode asks for; other processes are noticed at the poll interval
    /// (<see cref="KaijuTasksOptions.PollInterval"/>). Default false.
    /// </summary>
    public bool PollingOnly { get; set; }

    /// <summary>
    /// How often the connection that listens is asked whether it still lives, 1 s to 10 min. Default 10 s.
    /// </summary>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Creates the tables, or brings them up to date, at the first use. Default true. False: the first use fails unless
    /// they are up to date. Where they are, no rights to create anything are needed.
    /// </summary>
    public bool MigrateAtStart { get; set; } = true;
}
