using Kaiju.Tasks.Tests.Callers;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.PostgreSql.Tests;

public sealed class PostgreSqlFailedStageTests : FailedStageTests, IAsyncLifetime
{
    private static int _schemas;

    private readonly string _schema = $"failed_stage_{Interlocked.Increment(ref _schemas)}";
    private string _connectionString = "";

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _connectionString = server.ConnectionString(await Servers.DatabaseAsync());
    }

    public Task DisposeAsync() => Task.CompletedTask;

    protected override void UseStore(KaijuTasksBuilder tasks) =>
        tasks.UsePostgreSql(_connectionString, options => options.Schema = _schema);
}
