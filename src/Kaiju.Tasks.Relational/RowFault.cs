using System.Data.Common;
using System.Text.Json;

namespace Kaiju.Tasks.Relational;

/// <summary>A task's row that this version cannot read or move, and the reason.</summary>
internal sealed record RowFault(long TaskNo, string TaskId, Exception Reason)
{
    /// <summary>The fault of a row with the columns of <see cref="TaskRow"/>.</summary>
    public static RowFault Of(DbDataReader row, Exception reason)
    {
        var (number, id) = TaskRow.KeyOf(row);
        return new(number, id, reason);
    }

    /// <summary>
    /// True if the values of a row caused the exception, and not the connection: a row has arrived completely before
    /// its columns are read.
    /// </summary>
    public static bool IsOfReading(
        Exception e) => e
            is not (DbException
                or IOException or OperationCanceledException or ObjectDisposedException or OutOfMemoryException);

    public JsonException ToException() =>
        new($"The row of task \"{TaskId}\" cannot be read by this version: {Reason.Message}", Reason);
}
