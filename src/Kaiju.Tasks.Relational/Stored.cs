using System.Data.Common;
using System.Runtime.CompilerServices;

namespace Kaiju.Tasks.Relational;

/// <summary>How values of a type are stored in a column.</summary>
/// <param name="Type">The column's type.</param>
/// <param name="Write">The function that converts a value for the column; null becomes null.</param>
/// <param name="Read">The function that reads the column with a given ordinal.</param>
internal sealed record Stored<T>(ColumnType Type, Func<T, object?> Write, Func<DbDataReader, int, T> Read);

/// <summary>The conversions for the types of values that rows contain.</summary>
internal static class Stored
{
    public static Stored<int> Integer { get; } =
        new(ColumnType.Integer, value => value, (row, column) => row.GetInt32(column));

    public static Stored<int?> IntegerOrNull { get; } =
        new(ColumnType.Integer, value => value, (row, column) => row.IntegerOrNull(column));

    public static Stored<long> Long { get; } =
        new(ColumnType.Long, value => value, (row, column) => row.GetInt64(column));

    public static Stored<long?> LongOrNull { get; } =
        new(ColumnType.Long, value => value, (row, column) => row.LongOrNull(column));

    public static Stored<bool> Flag { get; } =
        new(ColumnType.Flag, value => value, (row, column) => row.GetBoolean(column));

    public static Stored<string> Text { get; } =
        new(ColumnType.Text, value => value, (row, column) => row.GetString(column));

    public static Stored<string?> TextOrNull { get; } =
        new(ColumnType.Text, value => value, (row, column) => row.TextOrNull(column));

    public static Stored<Guid?> UuidOrNull { get; } =
        new(ColumnType.Uuid, value => value, (row, column) => row.UuidOrNull(column));

    public static Stored<DateTimeOffset> Time { get; } =
        new(ColumnType.Long, value => Ticks.Of(value), (row, column) => row.Time(column));

    public static Stored<DateTimeOffset?> TimeOrNull { get; } =
        new(ColumnType.Long, value => Ticks.Of(value), (row, column) => row.TimeOrNull(column));

    public static Stored<TimeSpan?> Span { get; } =
        new(ColumnType.Long, value => value?.Ticks, (row, column) => TimeSpan.FromTicks(row.GetInt64(column)));

    public static Stored<TaskError?> ErrorOrNull { get; } =
        new(ColumnType.Text, value => value?.Json.GetRawText(), (row, column) => row.ErrorOrNull(column));

    public static Stored<RunChanges?> ChangesOrNull { get; } =
        new(ColumnType.Text, value => value?.ToJson(), (row, column) => row.ChangesOrNull(column));

    /// <summary>An enum stored as its number. A number without a name makes the row unreadable.</summary>
    public static Stored<T> Known<T>()
        where T : struct, Enum => new(
        ColumnType.Integer,
        value => Unsafe.BitCast<T, int>(value),
        (row, column) => Unsafe.BitCast<int, T>(row.GetInt32(column)) is var known && Enum.IsDefined(known)
            ? known
            : throw new InvalidDataException(
                $"{typeof(T).Name} {row.GetInt32(column)} is not known to this version."));

    /// <summary>An enum stored as its number, including numbers that only a later version knows.</summary>
    public static Stored<T> Any<T>()
        where T : struct, Enum => new(
        ColumnType.Integer,
        value => Unsafe.BitCast<T, int>(value),
        (row, column) => Unsafe.BitCast<int, T>(row.GetInt32(column)));

    /// <inheritdoc cref="Any{T}"/>
    public static Stored<T?> AnyOrNull<T>()
        where T : struct, Enum => new(
        ColumnType.Integer,
        value => value is { } given ? Unsafe.BitCast<T, int>(given) : null,
        (row, column) => row.IsDBNull(column) ? null : Unsafe.BitCast<int, T>(row.GetInt32(column)));
}
