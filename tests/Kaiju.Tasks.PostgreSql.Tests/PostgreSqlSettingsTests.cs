using Kaiju.Tasks.Tests;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>The user's settings for the adapter's own connections apply, in any spelling and place.</summary>
[Collection(Alone.Name)]
public sealed class PostgreSqlSettingsTests
{
    /// <summary>Without settings of the user.</summary>
    [Theory]
    [InlineData(false, "Kaiju.Tasks", 100, 2, true, true)]
    [InlineData(true, "Kaiju.Tasks", 0, 5, true, false)]
    public void The_adapter_has_settings_of_its_own(
        bool isShared, string name, int prepared, int usages, bool isUnreset, bool hasOptions)
    {
        var text = Built("Host=h", isShared);

        text.Should().BeEquivalentTo(new
        {
            ApplicationName = name,
            MaxAutoPrepare = prepared,
            AutoPrepareMinUsages = usages,
            NoResetOnClose = isUnreset,
        });
        (text.Options is not null).Should().Be(hasOptions);
    }

    [Theory]
    [InlineData("ApplicationName=shop", nameof(NpgsqlConnectionStringBuilder.ApplicationName), "shop")]
    [InlineData("Application Name=shop", nameof(NpgsqlConnectionStringBuilder.ApplicationName), "shop")]
    [InlineData("application name = shop", nameof(NpgsqlConnectionStringBuilder.ApplicationName), "shop")]
    [InlineData("MaxAutoPrepare=0", nameof(NpgsqlConnectionStringBuilder.MaxAutoPrepare), 0)]
    [InlineData("Max Auto Prepare=0", nameof(NpgsqlConnectionStringBuilder.MaxAutoPrepare), 0)]
    [InlineData("maxautoprepare=7", nameof(NpgsqlConnectionStringBuilder.MaxAutoPrepare), 7)]
    [InlineData("AutoPrepareMinUsages=5", nameof(NpgsqlConnectionStringBuilder.AutoPrepareMinUsages), 5)]
    [InlineData("Auto Prepare Min Usages=9", nameof(NpgsqlConnectionStringBuilder.AutoPrepareMinUsages), 9)]
    [InlineData("NoResetOnClose=false", nameof(NpgsqlConnectionStringBuilder.NoResetOnClose), false)]
    [InlineData("No Reset On Close=false", nameof(NpgsqlConnectionStringBuilder.NoResetOnClose), false)]
    [InlineData("Options=-c jit=on", nameof(NpgsqlConnectionStringBuilder.Options), "-c jit=on")]
    [InlineData("options=-c jit=on", nameof(NpgsqlConnectionStringBuilder.Options), "-c jit=on")]
    [InlineData("Pooling=false", nameof(NpgsqlConnectionStringBuilder.Pooling), false)]
    [InlineData("MaxPoolSize=3", nameof(NpgsqlConnectionStringBuilder.MaxPoolSize), 3)]
    [InlineData("Timeout=3", nameof(NpgsqlConnectionStringBuilder.Timeout), 3)]
    public void A_setting_of_the_connection_string_is_kept(string setting, string property, object value) =>
        typeof(NpgsqlConnectionStringBuilder).GetProperty(property)!.GetValue(Built($"Host=h;{setting}"))
            .Should().Be(value);

    [Fact]
    public void A_session_that_prepares_nothing_gets_no_options_of_prepared_statements() =>
        Built("Host=h;MaxAutoPrepare=0").Options.Should().BeNull();

    [Fact]
    public void Statements_are_prepared_behind_a_pooler_if_the_connection_string_says_so() =>
        Built("Host=h;MaxAutoPrepare=20", isShared: true).MaxAutoPrepare.Should().Be(20);

    [Fact]
    public async Task The_name_and_the_options_of_the_environment_are_kept()
    {
        var server = await Servers.PostgresAsync();
        var text = server.ConnectionString("postgres");
        Environment.SetEnvironmentVariable("PGAPPNAME", "from-environment");
        Environment.SetEnvironmentVariable("PGOPTIONS", "-c work_mem=7MB");
        try
        {
            await using var dataSource = DedicatedDataSource.Build(text, isShared: false);
            await using var command = dataSource.CreateCommand(
                "select current_setting('application_name') || ' ' || current_setting('work_mem')");
            (await command.ExecuteScalarAsync()).Should().Be("from-environment 7MB");
        }
        finally
        {
            Environment.SetEnvironmentVariable("PGAPPNAME", null);
            Environment.SetEnvironmentVariable("PGOPTIONS", null);
        }
    }

    private static NpgsqlConnectionStringBuilder Built(string text, bool isShared = false)
    {
        using var dataSource = DedicatedDataSource.Build(text, isShared);
        return new NpgsqlConnectionStringBuilder(dataSource.ConnectionString);
    }
}
