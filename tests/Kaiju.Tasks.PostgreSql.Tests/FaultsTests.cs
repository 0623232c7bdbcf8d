using System.Reflection;
using System.Text.RegularExpressions;
using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>The kind of each error of the server.</summary>
public sealed partial class FaultsTests
{
    /// <summary>Every code, reviewed one by one. A code that Npgsql adds is added here, with a reason.</summary>
    private static readonly Dictionary<string, string[]> _reviewed = new()
    {
        [nameof(FaultKind.Permanent)] =
        [
            "00000 01000 0100C 01008 01003 01007 01006 01004 01P01 02000 02001", // no faults
            // statements that the store does not have
            "03000 0B000 0F000 0F001 0L000 0LP01 0P000 0Z000 0Z002 24000 2B000 2BP01 2D000 3B000 3B001",
            "25000 25001 25002 25008 25003 25004 25005 25007 25P01 25P02", // statements at the wrong place
            "28000 28P01 3D000 3F000", // authentication, database and schema
            "42000 42601 42501 42846 42803 42P20 42P19 42830 42602 42622 42939 42804 42P18 42P21 42P22 42809 42703 "
                + "42883 42P01 42P02 42704 42701 42P03 42P04",
            // rights, names, syntax
            "42723 42P06 42P07 42712 42710 42702 42725 42P08 42P09 42P10 42611 42P11 42P12 42P13 42P14 42P15 42P16 "
                + "42P17",
            "55P02 55P04", // settings that need a restart, values of enumerations
            "HV000 HV005 HV002 HV010 HV021 HV024 HV007 HV008 HV004 HV006 HV091 HV00B HV00C HV00D HV090 HV00A HV009 "
                + "HV014 HV001 HV00P HV00J HV00K HV00Q HV00R HV00L HV00M HV00N",
            "XX001 XX002", // corrupted data: a retry does not help
        ],
        [nameof(FaultKind.Connection)] =
        [
            "08000 08003 08006 08001 08004 08007 08P01", // lost; and whatever PgBouncer says
            "25P03 25P04 57P05", // sessions that were idle, or in a transaction, for too long: they are ended
            "40003", // completion unknown
            "57P01 57P02 57P03 57P04", // shut down, crashed, starting, dropped
        ],
        [nameof(FaultKind.Data)] =
        [
            "22000 2202E 22021 22008 22012 22005 2200B 22022 22015 2201E 22014 22016 2201F 2201G 22018 22007 22019 "
                + "2200D 22025 22P06 22010 22023 2201B 2201W 2201X",
            "2202H 2202G 22009 2200C 2200G 22004 22002 22003 22026 22001 22011 22027 22024 2200F 22P01 22P02 22P03 "
                + "22P04 22P05 2200L 2200M 2200N 2200S 2200T",
            "23000 23001 23502 23503 23505 23514 23P01 44000", // rules of tables and views
            // triggers and functions
            "09000 20000 21000 27000 2F000 2F005 2F002 2F003 2F004 38000 38001 38002 38003 38004 39000 39001 39004 "
                + "39P01 39P02 39P03",
            "P0000 P0001 P0002 P0003 P0004",
            "54000 54001 54011 54023", // too large for an index, too deep
        ],
        [nameof(FaultKind.Unfit)] =
        [
            "25006", // a session that may only read
            "0A000 26000 34000 42P05", // prepared statements that are lost, in the way, or of tables that have changed
            // no room, no file, not now
            "53000 53100 53200 53300 53400 55000 57000 58000 58030 58P01 58P02 F0000 F0001 XX000",
        ],
        [nameof(FaultKind.RolledBack)] = ["40000 40002 40001 40P01 55006 57014 72000"],
        [nameof(FaultKind.Locked)] = ["55P03"],
    };

    [Fact]
    public void Every_code_has_its_reviewed_kind()
    {
        var reviewed = _reviewed.SelectMany(
            kind => kind.Value.SelectMany(codes => codes.Split(' ')), (kind, code) => (Code: code, Kind: kind.Key))
            .ToList();

        reviewed.Select(code => code.Code).Should().OnlyHaveUniqueItems();
        Codes().Except(reviewed.Select(code => code.Code)).Should().BeEmpty(
            "each code that Npgsql names is to be reviewed");
        reviewed.Select(code => (code.Code, Kind: Faults.KindOf(code.Code).ToString())).Should().Equal(reviewed);
    }

    [Fact]
    public async Task The_page_on_operations_lists_the_same_kinds()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "operations.md"));
        var rows = page[page.IndexOf("## Errors of PostgreSQL", StringComparison.Ordinal)..].Split('\n')
            .SkipWhile(line => !line.StartsWith("| ---", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => line.StartsWith('|'));
        var said = rows.SelectMany(
            row => CodeInDocs().Matches(row.Split('|')[2]),
            (row, code) => (Code: code.Groups[1].Value, Kind: row.Split('|')[1].Trim()))
            .ToDictionary(code => code.Code, code => code.Kind);

        said.Should().NotBeEmpty();
        Codes().Select(code => $"{code} {said.GetValueOrDefault(code) ?? said.GetValueOrDefault(code[..2])}").Should()
            .Equal(Codes().Select(code => $"{code} {NameInDocs(Faults.KindOf(code))}"));
    }

    /// <summary>An error that ends the session may arrive between a commit and its answer.</summary>
    [Theory]
    [InlineData("ERROR", PostgresErrorCodes.TooManyConnections, nameof(FaultKind.Unfit))]
    [InlineData("FATAL", PostgresErrorCodes.TooManyConnections, nameof(FaultKind.Connection))]
    [InlineData("ERROR", PostgresErrorCodes.SerializationFailure, nameof(FaultKind.RolledBack))]
    [InlineData("FATAL", PostgresErrorCodes.SerializationFailure, nameof(FaultKind.Connection))]
    [InlineData("PANIC", PostgresErrorCodes.IoError, nameof(FaultKind.Connection))]
    [InlineData("FATAL", PostgresErrorCodes.InvalidPassword, nameof(FaultKind.Permanent))]
    [InlineData("FATAL", PostgresErrorCodes.AdminShutdown, nameof(FaultKind.Connection))]
    [InlineData("ERROR", "ZZ999", nameof(FaultKind.Permanent))]
    public void An_error_that_ends_the_session_leaves_the_outcome_open(string severity, string code, string kind) =>
        Faults.KindOf(new PostgresException("", severity, severity, code)).ToString().Should().Be(kind);

    [Fact]
    public void An_error_that_is_not_the_servers_is_the_connections_or_the_programs()
    {
        Faults.KindOf(new NpgsqlException("The connection pool has been exhausted", new TimeoutException())).Should()
            .Be(FaultKind.Connection);
        Faults.KindOf(new IOException()).Should().Be(FaultKind.Connection);
        Faults.KindOf(new InvalidOperationException { Source = "Npgsql" }).Should().Be(FaultKind.Connection);
        Faults.KindOf(new InvalidOperationException { Source = "Kaiju" }).Should().Be(FaultKind.Permanent);
        Faults.KindOf(new OperationCanceledException()).Should().Be(FaultKind.Permanent);
    }

    private static List<string> Codes() =>
        [.. typeof(PostgresErrorCodes).GetFields(
            BindingFlags.Public | BindingFlags.Static).Where(field =>
                field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!)];

    private static string NameInDocs(FaultKind kind) => kind switch
    {
        FaultKind.RolledBack => "rolled back",
        FaultKind.Connection => "connection lost",
        _ => kind.ToString().ToLowerInvariant(),
    };

    [GeneratedRegex("`([0-9A-Z]+)…?`")]
    private static partial Regex CodeInDocs();
}
