using System.Data.Common;
using Kaiju.Tasks.Tests.Callers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

public sealed class PostgreSqlCallerTests : CallerContextTests, IAsyncLifetime, IDisposable
{
    private static int _schemas;

    private readonly string _schema = $"caller_{Interlocked.Increment(ref _schemas)}";
    private string _connectionString = "";
    private NpgsqlConnection? _connection;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _connectionString = server.ConnectionString(await Servers.DatabaseAsync());
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _connection?.Dispose();

    [Fact]
    public void A_migration_may_block_the_only_thread_of_its_caller() => OneThreadContext.Block(context =>
    {
        using var dataSource = NpgsqlDataSource.Create(_connectionString);
        Wait(PostgreSqlSchema.MigrateAsync(dataSource, new PostgreSqlTasksOptions { Schema = _schema }));
        context.Posted.Should().Be(0);
    });

    protected override void UseStore(KaijuTasksBuilder tasks) =>
        tasks.UsePostgreSql(_connectionString, options => options.Schema = _schema);

    protected override DbTransaction BeginTransaction()
    {
        _connection = new NpgsqlConnection(_connectionString);
        _connection.Open();
        return _connection.BeginTransaction();
    }
}
