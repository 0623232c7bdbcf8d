using System.Data.Common;
using System.Globalization;
using System.Text.Json;

namespace Kaiju.Tasks.Relational;

/// <summary>An argument of a statement. With <see cref="IsList"/> the value is a list of values of that type.</summary>
internal readonly record struct Argument(string Name, ColumnType Type, object? Value, bool IsList = false)
{
    public static Argument Integer(string name, int? value) => new(name, ColumnType.Integer, value);

    public static Argument Long(string name, long? value) => new(name, ColumnType.Long, value);

    public static Argument Flag(string name, bool? value) => new(name, ColumnType.Flag, value);

    public static Argument Text(string name, string? value) => new(name, ColumnType.Text, value);

    public static Argument Uuid(string name, Guid? value) => new(name, ColumnType.Uuid, value);

    public static Argument Texts(string name, IEnumerable<string> values) =>
        new(name, ColumnType.Text, values.ToArray(), true);

    public static Argument Integers(string name, IEnumerable<int> values) =>
        new(name, ColumnType.Integer, values.ToArray(), true);

    public static Argument Longs(string name, IEnumerable<long> values) =>
        new(name, ColumnType.Long, values.ToArray(), true);

    public static Argument Uuids(string name, IEnumerable<Guid> values) =>
        new(name, ColumnType.Uuid, values.ToArray(), true);
}

/// <summary>Reads rows, and columns that may be null.</summary>
internal static class ReaderExtensions
{
    /// <summary>Reads all remaining rows synchronously.</summary>
    public static List<T> ReadAll<T>(this DbDataReader rows, Func<DbDataReader, T> read)
    {
        var list = new List<T>();
        while (rows.Read())
        {
            list.Add(read(rows));
        }

        return list;
    }

    public static long? LongOrNull(this DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetInt64(column);

    public static int? IntegerOrNull(this DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetInt32(column);

    public static string? TextOrNull(this DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    public static Guid? UuidOrNull(this DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetGuid(column);

    public static DateTimeOffset Time(this DbDataReader row, int column) => Ticks.Time(row.GetInt64(column));

    public static DateTimeOffset? TimeOrNull(this DbDataReader row, int column) => Ticks.Time(row.LongOrNull(column));

    public static TaskError? ErrorOrNull(this DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : TaskError.FromJson(JsonElement.Parse(row.GetString(column)));

    public static RunChanges? ChangesOrNull(this DbDataReader row, int column) =>
        row.TextOrNull(column) is { } changes ? RunChanges.FromJson(changes) : null;

    /// <summary>Reads a definition in its stored form.</summary>
    /// <exception cref="JsonException">This version cannot read the definition.</exception>
    public static TaskDefinition Definition(this DbDataReader row, int json, int id, int app) =>
        ParseDefinition(row.GetFieldValue<byte[]>(json), row.GetString(id), row.GetString(app));

    /// <inheritdoc cref="Definition"/>
    public static TaskDefinition ParseDefinition(ReadOnlySpan<byte> json, string id, string app)
    {
        try
        {
            return TaskDefinition.FromStoredJson(json, id, app);
        }
        catch (Exception e)
        {
            throw new JsonException($"The definition of task \"{id}\" cannot be read by this version: {e.Message}", e);
        }
    }

    /// <summary>Reads the results of several stages from a column that holds one JSON array.</summary>
    public static IReadOnlyList<JsonElement> Results(this DbDataReader row, int column) =>
        ResultList.Parse(row.TextOrNull(column));
}

/// <summary>Lists as JSON: results, and the values of lists for databases without arrays.</summary>
internal static class ResultList
{
    public static IReadOnlyList<JsonElement> Parse(string? json) =>
        json is null ? [] : [.. JsonElement.Parse(json, new JsonDocumentOptions { MaxDepth = 128 }).EnumerateArray()];

    public static string Of(System.Collections.IEnumerable values)
    {
        var texts = values.Cast<object>().Select(value => value switch
        {
            string text => JsonEncodedText.Encode(
                text,
                System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping) is var encoded
                    ? $"\"{encoded}\""
                    : "",
            Guid id => $"\"{id:D}\"",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture),
        });
        return $"[{string.Join(',', texts)}]";
    }
}
