namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Options for tasks in PostgreSQL, version 13 or later. Except for the connection, they must be the same in every
/// process over one database.
/// </summary>
public sealed class PostgreSqlTasksOptions
{
    /// <summary>
    /// The schema of the tables; it must match <c>^[a-z_][a-z0-9_]{0,30}\z</c>. Default: <c>kaiju_tasks</c>.
    /// </summary>
    public string Schema { get; set; } = "kaiju_tasks";

    /// <summary>
    /// True: the store uses no LISTEN and NOTIFY, no prepared statements, and no session state beyond a transaction, as
    /// PgBouncer in transaction mode requires. Changes by other processes are then found at the poll interval
    /// (<see cref="KaijuTasksOptions.PollInterval"/>). Default: false.
    /// </summary>
    public bool PollingOnly { get; set; }

    /// <summary>
    /// The interval between tests of the listening connection, 1 s to 10 min. Default: 10 s.
    /// </summary>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// True: the tables are created or migrated at the first use. False: the first use fails unless the tables are
    /// current. If they are, no right to create is needed in either case. Default: true.
    /// </summary>
    public bool MigrateAtStart { get; set; } = true;
}
