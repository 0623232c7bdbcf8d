using Microsoft.Data.Sqlite;

namespace Kaiju.Tasks.Sqlite;

/// <summary>How durable a commit is.</summary>
public enum SqliteDurability
{
    /// <summary>
    /// Each commit is on the disk when it is answered (<c>synchronous=FULL</c>). It survives a failure of the process,
    /// of the system and of the power.
    /// </summary>
    Full = 0,

    /// <summary>
    /// Each commit is handed to the system (<c>synchronous=NORMAL</c>), which is faster. It survives a failure of the
    /// process. A failure of the system or of the power may lose the last commits, each as a whole: stages that were
    /// recorded last run again.
    /// </summary>
    Normal = 1,
}

/// <summary>
/// Options for tasks in a SQLite file. Except for the poll interval, they must be the same in every process over one
/// file.
/// </summary>
public sealed class SqliteTasksOptions
{
    private string _connectionString = "";
    private TimeSpan? _timeoutOfText;
    private TimeSpan? _busyTimeout;

    /// <summary>
    /// The connection string of Microsoft.Data.Sqlite; it must name a file: <c>Data Source=tasks.db</c>.
    /// </summary>
    public string ConnectionString
    {
        get => _connectionString;
        set => (_connectionString, _timeoutOfText) = (value, SqliteFile.FindTimeout(value));
    }

    /// <summary>
    /// The prefix of the tables' names, so that other tables can be in the same file; it must match
    /// <c>^[a-z_][a-z0-9_]{0,30}\z</c>. Default: <c>kaiju_</c>.
    /// </summary>
    public string TablePrefix { get; set; } = "kaiju_";

    /// <summary>The durability of a commit. Default: <see cref="SqliteDurability.Full"/>.</summary>
    public SqliteDurability Durability { get; set; }

    /// <summary>
    /// The longest total wait of a call, and of the start, for locks of other connections, 100 ms to 5 min. It does not
    /// include the time in which other calls of this process run first. Default: the <c>Default Timeout</c> of the
    /// connection string if it has one, else 10 s.
    /// </summary>
    public TimeSpan BusyTimeout
    {
        get => _busyTimeout ?? _timeoutOfText ?? TimeSpan.FromSeconds(10);
        set => _busyTimeout = value;
    }

    /// <summary>
    /// The interval between checks of the file for changes by other processes, 10 ms to 1 min. A check costs two
    /// microseconds. Default: 100 ms.
    /// </summary>
    public TimeSpan ChangePollInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// True: the tables are created or migrated at the first use. False: the first use fails unless the tables are
    /// current.
    /// Default: true.
    /// </summary>
    public bool MigrateAtStart { get; set; } = true;

    /// <summary>Called with each opened connection; for tests that make files fail.</summary>
    internal Action<SqliteConnection>? Opened { get; set; }
}
