using System.Data.Common;
using System.Text.Json;

namespace Kaiju.Tasks.Relational;

/// <summary>Reads the rows of runs and of stages.</summary>
internal static class HistoryRows
{
    public static Func<DbDataReader, TaskRun> ReadRun(string taskId) => row => new TaskRun
    {
        TaskId = taskId,
        JobId = row.GetString(0),
        State = (TaskState)row.GetInt32(1),
        ExitCode = (TaskExitCode?)row.IntegerOrNull(2),
        Error = row.ErrorOrNull(3),
        Retries = row.GetInt32(4),
        Occurrence = row.TimeOrNull(5),
        Chain = (ChainResult)row.GetInt32(6),
        QueuedAt = row.TimeOrNull(7),
        Ended = row.Time(8),
        Result = row.Results(9),
    };

    public static StageEntry ReadEntry(DbDataReader row) => new()
    {
        JobId = row.GetString(0),
        Pass = row.GetInt32(1),
        Stage = row.GetInt32(2),
        Attempt = row.GetInt32(3),
        Started = row.Time(4),
        Finished = row.Time(5),
        Result = row.IsDBNull(6) ? default : JsonElement.Parse(row.GetString(6)),
        Error = row.ErrorOrNull(7),
    };
}
