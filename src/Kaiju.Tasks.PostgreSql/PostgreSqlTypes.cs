using Kaiju.Tasks.Relational;
using NpgsqlTypes;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>The server's and the driver's names for the types of columns and arguments.</summary>
internal static class PostgreSqlTypes
{
    public static string NameOf(ColumnType type) => type switch
    {
        ColumnType.Integer => "int",
        ColumnType.Long => "bigint",
        ColumnType.Flag => "bool",
        ColumnType.Uuid => "uuid",
        _ => "text",
    };

    public static NpgsqlDbType Of(ColumnType type) => type switch
    {
        ColumnType.Integer => NpgsqlDbType.Integer,
        ColumnType.Long => NpgsqlDbType.Bigint,
        ColumnType.Flag => NpgsqlDbType.Boolean,
        ColumnType.Uuid => NpgsqlDbType.Uuid,
        _ => NpgsqlDbType.Text,
    };
}
