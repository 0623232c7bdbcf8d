using System.Data.Common;
using Kaiju.Tasks.Tests.Callers;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Sqlite.Tests;

public sealed class SqliteCallerTests : CallerContextTests, IDisposable
{
    private readonly TemporaryFile _file = new();
    private SqliteConnection? _connection;

    public void Dispose()
    {
        _connection?.Dispose();
        _file.Dispose();
    }

    [Fact]
    public void A_migration_may_block_the_only_thread_of_its_caller() => OneThreadContext.Block(context =>
    {
        Wait(SqliteSchema.MigrateAsync(_file.Options));
        context.Posted.Should().Be(0);
    });

    protected override void UseStore(KaijuTasksBuilder tasks) => tasks.UseSqlite(_file.ConnectionString);

    protected override DbTransaction BeginTransaction()
    {
        _connection = _file.Open();
        return _connection.BeginTransaction(deferred: true);
    }
}
