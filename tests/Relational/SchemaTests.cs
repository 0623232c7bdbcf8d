using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// The tables of a store are created once, with the same result in every way, and a host refuses unsuitable ones. The
/// name is the schema in PostgreSQL and the table prefix in SQLite.
/// </summary>
public abstract class SchemaTests
{
    /// <summary>The version that the package needs.</summary>
    protected abstract int Version { get; }

    /// <summary>The default name.</summary>
    protected abstract string DefaultName { get; }

    [Fact]
    public async Task Concurrent_migrations_apply_once()
    {
        var applied = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => MigrateAsync(DefaultName))));

        applied.Sum().Should().Be(Version);
        (await MigrateAsync(DefaultName)).Should().Be(0);
        foreach (var (function, expected) in new[] { ("count", Version), ("min", 1), ("max", Version) })
        {
            var value = await ScalarAsync($"select {function}(version) from {Table(DefaultName, "migrations")}");
            Convert.ToInt32(value, null).Should().Be(expected, "{0} is that of all versions, each once", function);
        }
    }

    [Fact]
    public async Task The_script_creates_the_same_schema_as_a_migration()
    {
        await ScalarAsync(GetScript("by_script"));
        await MigrateAsync("by_code");

        (await MigrateAsync("by_script")).Should().Be(0);
        (await DescribeAsync("by_script")).Should().Equal(await DescribeAsync("by_code")).And.NotBeEmpty();
    }

    [Fact]
    public async Task A_newer_schema_than_the_package_knows_is_refused()
    {
        await MigrateAsync(DefaultName);
        await ScalarAsync($"insert into {Table(DefaultName, "migrations")} (version) values (1000)");

        await FluentActions.Awaiting(() => MigrateAsync(DefaultName)).Should()
            .ThrowAsync<TaskSchemaException>().WithMessage("*of version 1000; this package (*) supports up to*");
        using var host = NewHost(DefaultName);
        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<TaskSchemaException>(
            "the host does not start on it");
    }

    [Fact]
    public async Task Without_migration_at_start_missing_tables_fail_the_start()
    {
        using var host = NewHost(DefaultName, migrates: false);

        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<TaskSchemaException>()
            .WithMessage("*of version 0; this package needs*MigrateAtStart*GetScript*");
    }

    [Theory]
    [InlineData("")]
    [InlineData("Kaiju")]
    [InlineData("1kaiju")]
    [InlineData("kaiju-")]
    [InlineData("kaiju.tasks")]
    [InlineData("kaiju_\n")]
    [InlineData("a; drop table x")]
    [InlineData("a\"; drop table x")]
    [InlineData("a234567890123456789012345678901x")]
    public async Task A_name_with_other_characters_than_those_of_names_is_refused(string name) =>
        await FluentActions.Awaiting(() => MigrateAsync(name)).Should()
            .ThrowAsync<ArgumentException>().WithMessage($"*\"{name}\"*must match*");

    [Fact]
    public async Task Two_names_are_two_stores_in_one_database()
    {
        using var one = NewHost(DefaultName);
        using var other = NewHost("other_");
        await one.StartAsync();
        await other.StartAsync();

        await one.Services.GetRequiredService<ITaskClient>().CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });

        (await other.Services.GetRequiredService<ITaskClient>().GetAsync("t")).Should().BeNull();
        await one.StopAsync();
        await other.StopAsync();
    }

    protected abstract Task<int> MigrateAsync(string name);

    protected abstract string GetScript(string name);

    /// <summary>A table's name in a statement.</summary>
    protected abstract string Table(string name, string table);

    /// <summary>Tables, columns and indices, without the name.</summary>
    protected abstract Task<IReadOnlyList<string>> DescribeAsync(string name);

    protected abstract Task<object?> ScalarAsync(string sql);

    protected abstract void UseStore(KaijuTasksBuilder tasks, string name, bool migrates);

    private IHost NewHost(string name, bool migrates = true)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        UseStore(builder.Services.AddKaijuTasks(options => options.Roles = TaskRoles.Client), name, migrates);
        return builder.Build();
    }
}
