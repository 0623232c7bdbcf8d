namespace Kaiju.Tasks.PostgreSql;

/// <summary>What a fault says about the step that met it, and so what is done about it.</summary>
internal enum FaultKind
{
    /// <summary>
    /// The statement, the schema, the rights or the configuration is wrong, and will be the next time. The caller gets
    /// it.
    /// </summary>
    Permanent,

    /// <summary>The server has taken everything back, and may carry it out the next time: it is tried again.</summary>
    RolledBack,

    /// <summary>
    /// Another transaction held a lock for longer than the statement was to wait. Nothing has happened.
    /// </summary>
    Locked,

    /// <summary>The server cannot hold this row, however often it is tried. The row is refused, and no other.</summary>
    Data,

    /// <summary>
    /// Nothing has happened: this session or this server cannot do it now, another one may. The session is not used
    /// again, and it is tried again.
    /// </summary>
    Unfit,

    /// <summary>
    /// The session is gone. Before a commit nothing has happened; during one it is not known. It is tried again where
    /// that does no harm.
    /// </summary>
    Connection,
}
