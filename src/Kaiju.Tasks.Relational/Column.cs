using System.Data.Common;

namespace Kaiju.Tasks.Relational;

/// <summary>The few types that columns and arguments have.</summary>
internal enum ColumnType
{
    Integer,
    Long,
    Flag,
    Text,
    Uuid,
}

/// <summary>What a statement that creates tasks writes into a column.</summary>
internal enum NewValue
{
    /// <summary>Nothing: the column of a new task is null.</summary>
    Null,

    /// <summary>0.</summary>
    Zero,

    /// <summary>1.</summary>
    One,

    /// <summary>The number that the database gave the task.</summary>
    Number,

    /// <summary>The time of the creation.</summary>
    Clock,

    /// <summary>The row's value.</summary>
    Given,

    /// <summary>The row's value, counted from the time of the creation.</summary>
    GivenFromClock,
}

/// <summary>
/// A column of a row: its name, which is that of the statement's argument too, and all that is known of it.
/// </summary>
/// <param name="Name">The name.</param>
/// <param name="Type">The type.</param>
/// <param name="Value">What is written for a row.</param>
internal sealed record Column<T>(string Name, ColumnType Type, Func<T, object?> Value)
{
    /// <summary>The argument as it stands in a statement.</summary>
    public string Mark { get; } = $"@{Name}";

    /// <summary>
    /// Puts what stands in the column into a row that is being read; null for a column that is only written.
    /// </summary>
    public Action<T, DbDataReader, int>? Read { get; init; }

    /// <summary>What a new row has. Default: null, for every row.</summary>
    public NewValue OfNew { get; init; }

    /// <summary>The column never changes. Default: false.</summary>
    public bool IsFixed { get; init; }
}
