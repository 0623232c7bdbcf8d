namespace Kaiju.Tasks.PostgreSql;

/// <summary>The kind of a fault. It determines whether the step may have happened, and whether it is retried.</summary>
internal enum FaultKind
{
    /// <summary>
    /// The statement, the schema, the rights or the configuration is wrong, and stays wrong. The caller gets the
    /// exception.
    /// </summary>
    Permanent,

    /// <summary>The server rolled everything back, and may accept it the next time: the step is retried.</summary>
    RolledBack,

    /// <summary>
    /// Another transaction held a lock for longer than the statement's timeout. The step was rolled back.
    /// </summary>
    Locked,

    /// <summary>The server can never store this row. The row is refused; the others are not affected.</summary>
    Data,

    /// <summary>
    /// This session or server cannot run the step now; another one may. Nothing has happened. The session is not used
    /// again, and the step is retried. See docs/decisions/0012.
    /// </summary>
    Unfit,

    /// <summary>
    /// The session is lost. Before a commit nothing has happened; during a commit the outcome is unknown. The step is
    /// retried where a repetition does no harm.
    /// </summary>
    Connection,
}
