using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>How durable a commit is.</summary>
public enum SqliteDurability
{
    /// <summary>
    /// Every commit is on the disk when it is answered (<c>synchronous=FULL</c>): it outlives the process, the system
    /// and the power.
    /// </summary>
    Full = 0,

    /// <summary>
    /// Commits are handed to the system (<c>synchronous=NORMAL</c>): they outlive the process, but when the system or
    /// the power fails, the last ones may be lost. What is lost is lost from the end and whole: stages that were
    /// recorded last run again. Faster.
    /// </summary>
    Normal = 1,
}

/// <summary>
/// How tasks are kept in a SQLite file. Must be the same in every process over one file, but for the poll interval.
/// </summary>
public sealed class SqliteTasksOptions
{
    private string _connectionString = "";
    private TimeSpan? _timeoutOfText;
    private TimeSpan? _busyTimeout;

    /// <summary>A connection string of Microsoft.Data.Sqlite that names a file: <c>Data Source=tasks.db</c>.</summary>
    public string ConnectionString
    {
        get => _connectionString;
        set => (_connectionString, _timeoutOfText) = (value, SqliteFile.FindTimeout(value));
    }

    /// <summary>
    /// What the names of the tables begin with, so that they can stand beside others: <c>^[a-z_][a-z0-9_]{0,30}\z</c>.
    /// Default <c>kaiju_</c>.
    /// </summary>
    public string TablePrefix { get; set; } = "kaiju_";

    /// <summary>How durable a commit is. Default <see cref="SqliteDurability.Full"/>.</summary>
    public SqliteDurability Durability { get; set; }

    /// <summary>
    /// How long a call, and the start, waits in all for locks that other connections hold on the file, 100 ms to 5 min.
    /// Default: the <c>Default Timeout</c> of the connection string if it has one, else 10 s. The time in which other
    /// calls of this process are served first is not part of it.
    /// </summary>
    public TimeSpan BusyTimeout
    {
        get => _busyTimeout ?? _timeoutOfText ?? TimeSpan.FromSeconds(10);
        set => _busyTimeout = value;
    }

    /// <summary>
    /// How often the file is looked at for changes of other processes, 10 ms to 1 min. Default 100 ms. Costs two
    /// microseconds each time.
    /// </summary>
    public TimeSpan ChangePollInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Creates the tables, or brings them up to date, at the first use. Default true. False: the first use fails unless
    /// they are up to date.
    /// </summary>
    public bool MigrateAtStart { get; set; } = true;

    /// <summary>Told of every connection that is opened; for tests that make files fail.</summary>
    internal Action<SqliteConnection>? Opened { get; set; }
}
