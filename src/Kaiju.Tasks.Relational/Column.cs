using System.Data.Common;

namespace Kaiju.Tasks.Relational;

/// <summary>The types of columns and of arguments.</summary>
internal enum ColumnType
{
    Integer,
    Long,
    Flag,
    Text,
    Uuid,
}

/// <summary>The value that a statement that creates tasks writes into a column.</summary>
internal enum NewValue
{
    /// <summary>Null.</summary>
    Null,

    /// <summary>0.</summary>
    Zero,

    /// <summary>1.</summary>
    One,

    /// <summary>False.</summary>
    False,

    /// <summary>The number that the database gave to the task.</summary>
    Number,

    /// <summary>The time of the creation.</summary>
    Clock,

    /// <summary>The row's value.</summary>
    Given,

    /// <summary>The row's value, added to the time of the creation.</summary>
    GivenFromClock,

    /// <summary>The hold of the row's app and method (<see cref="TaskRow.Route"/>).</summary>
    RoutedHold,

    /// <summary>The method of the row's app and method.</summary>
    RoutedMethod,
}

/// <summary>
/// A column of a row, declared once: its name, its type, and how it is written and read. See docs/decisions/0015.
/// </summary>
/// <param name="Name">The name of the column and of the statement's argument.</param>
/// <param name="Type">The type.</param>
/// <param name="Value">The function that gives a row's value to write.</param>
internal sealed record Column<T>(string Name, ColumnType Type, Func<T, object?> Value)
{
    /// <summary>The text of the argument in a statement, such as <c>@name</c>.</summary>
    public string Mark { get; } = $"@{Name}";

    /// <summary>
    /// Sets a row's value from the column when the row is read; null for a column that is only written.
    /// </summary>
    public Action<T, DbDataReader, int>? Read { get; init; }

    /// <summary>The value in a new row. Default: null, for every row.</summary>
    public NewValue OfNew { get; init; }

    /// <summary>True if the column never changes after the creation. Default: false.</summary>
    public bool IsFixed { get; init; }
}
