using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// What is set aside, for the parts of a store: they say so in the log, and leave it out of their statements.
/// </summary>
internal sealed class RowsAside(TimeProvider clock, ILogger logger)
{
    /// <summary>The name of claiming.</summary>
    public const string Claiming = "claim";

    private readonly SetAside _setAside = new(clock);

    /// <summary>
    /// A statement that is carried out all the time: it asks for what is set aside only if there is something.
    /// </summary>
    public string WithoutClaims(string statement, string exceptClause) => _setAside.In(Claiming).Length == 0
        ? statement
        : statement.Replace("/*except*/", exceptClause, StringComparison.Ordinal);

    /// <summary>The tasks that are left alone in these kinds of work, as the argument of a statement.</summary>
    public Argument Except(params ReadOnlySpan<string> works) =>
        new("except", ColumnType.Long, _setAside.In(works), IsList: true);

    /// <summary>Leaves a task alone in this work for a while, and says so.</summary>
    /// <returns>False if it is not left alone, since too many are.</returns>
    public bool Leave(string work, RowFault fault)
    {
        var pause = _setAside.Add(work, fault.TaskNo);
        if (pause > TimeSpan.Zero)
        {
            RelationalLog.TaskSetAside(logger, fault.Reason, fault.TaskId, work, pause);
            return true;
        }

        RelationalLog.TooManySetAside(logger, fault.Reason, fault.TaskId, work, SetAside.Most);
        return false;
    }

    /// <summary>Says that a row is left out of an answer, once for as long as it would be set aside.</summary>
    public void LeaveOut(string work, RowFault fault)
    {
        if (!_setAside.In(work).Contains(fault.TaskNo) && _setAside.Add(work, fault.TaskNo) > TimeSpan.Zero)
        {
            RelationalLog.RowLeftOut(logger, fault.Reason, fault.TaskId, work);
        }
    }
}
