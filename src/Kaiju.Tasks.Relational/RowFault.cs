using System.Data.Common;
using System.Text.Json;

namespace Kaiju.Tasks.Relational;

/// <summary>A task's row that this version cannot read, or cannot move, and why.</summary>
internal sealed record RowFault(long TaskNo, string TaskId, Exception Reason)
{
    /// <summary>The fault of a row with the columns of <see cref="TaskRow"/>.</summary>
    public static RowFault Of(DbDataReader row, Exception reason)
    {
        var (number, id) = TaskRow.KeyOf(row);
        return new(number, id, reason);
    }

    /// <summary>
    /// True for a fault of what stands in a row, and not of the way to it: a row is complete before its columns are
    /// read.
    /// </summary>
    public static bool IsOfReading(
        Exception e) => e
            is not (DbException
                or IOException or OperationCanceledException or ObjectDisposedException or OutOfMemoryException);

    public JsonException ToException() =>
        new($"The row of task \"{TaskId}\" cannot be read by this version: {Reason.Message}", Reason);
}
