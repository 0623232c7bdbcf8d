using System.Data.Common;
using Kaiju.Tasks.Tests.Callers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>A schema of the test's own, and a transaction beside the store.</summary>
internal sealed class OwnSchema : IDisposable
{
    private static int _schemas;

    private NpgsqlConnection? _connection;

    public string Name { get; } = $"apart_{Interlocked.Increment(ref _schemas)}";

    public string ConnectionString { get; private set; } = "";

    public async Task OpenAsync() =>
        ConnectionString = (await Servers.PostgresAsync()).ConnectionString(await Servers.DatabaseAsync());

    public DbTransaction BeginTransaction()
    {
        _connection = new NpgsqlConnection(ConnectionString);
        _connection.Open();
        return _connection.BeginTransaction();
    }

    public void Dispose() => _connection?.Dispose();
}

public sealed class PostgreSqlAmbientTransactionTests : AmbientTransactionTests, IAsyncLifetime
{
    private readonly OwnSchema _schema = new();

    public Task InitializeAsync() => _schema.OpenAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public override void Dispose()
    {
        base.Dispose();
        _schema.Dispose();
    }

    protected override void UseStore(KaijuTasksBuilder tasks) =>
        tasks.UsePostgreSql(_schema.ConnectionString, options => options.Schema = _schema.Name);

    protected override DbTransaction BeginTransaction() => _schema.BeginTransaction();
}

/// <summary>The same with a data source of the host's, whose connections the driver enlists.</summary>
public sealed class DataSourceAmbientTransactionTests : AmbientTransactionTests, IAsyncLifetime
{
    private readonly OwnSchema _schema = new();
    private NpgsqlDataSource? _dataSource;

    public async Task InitializeAsync()
    {
        await _schema.OpenAsync();
        _dataSource = NpgsqlDataSource.Create($"{_schema.ConnectionString};Enlist=true;Maximum Pool Size=6");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public override void Dispose()
    {
        base.Dispose();
        _schema.Dispose();
        _dataSource?.Dispose();
    }

    protected override void UseStore(KaijuTasksBuilder tasks) =>
        tasks.UsePostgreSql(_dataSource!, options => options.Schema = _schema.Name);

    protected override DbTransaction BeginTransaction() => _schema.BeginTransaction();
}

public sealed class PostgreSqlDisposedClientTests : DisposedClientTests, IAsyncLifetime, IDisposable
{
    private readonly OwnSchema _schema = new();

    public Task InitializeAsync() => _schema.OpenAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _schema.Dispose();

    protected override void UseStore(KaijuTasksBuilder tasks) =>
        tasks.UsePostgreSql(_schema.ConnectionString, options => options.Schema = _schema.Name);

    protected override DbTransaction BeginTransaction() => _schema.BeginTransaction();
}
