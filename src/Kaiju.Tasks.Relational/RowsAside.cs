using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Sets tasks aside for the parts of a store: logs it, and gives their statements the tasks to leave out.
/// </summary>
internal sealed class RowsAside(TimeProvider clock, ILogger logger)
{
    /// <summary>The name of claiming.</summary>
    public const string Claiming = "claim";

    private readonly SetAside _setAside = new(clock);

    /// <summary>
    /// The claim statement, with a clause for set-aside tasks only if there are any: claims run all the time.
    /// </summary>
    public string WithoutClaims(string statement, string exceptClause) => _setAside.In(Claiming).Length == 0
        ? statement
        : statement.Replace("/*except*/", exceptClause, StringComparison.Ordinal);

    /// <summary>The tasks that are set aside in these kinds of work, as the argument of a statement.</summary>
    public Argument Except(params ReadOnlySpan<string> works) =>
        new("except", ColumnType.Long, _setAside.In(works), IsList: true);

    /// <summary>Sets a task aside in this work for a while, and logs it.</summary>
    /// <returns>False if it was not set aside because too many tasks already are.</returns>
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

    /// <summary>Logs that a row is left out of an answer, once in the time for which it would be set aside.</summary>
    public void LeaveOut(string work, RowFault fault)
    {
        if (!_setAside.In(work).Contains(fault.TaskNo) && _setAside.Add(work, fault.TaskNo) > TimeSpan.Zero)
        {
            RelationalLog.RowLeftOut(logger, fault.Reason, fault.TaskId, work);
        }
    }
}
