using System.Data.Common;
using Kaiju.Tasks.Tests.Callers;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Sqlite.Tests;

public sealed class SqliteAmbientTransactionTests : AmbientTransactionTests
{
    private readonly TemporaryFile _file = new();
    private SqliteConnection? _connection;

    public override void Dispose()
    {
        base.Dispose();
        _connection?.Dispose();
        _file.Dispose();
    }

    protected override void UseStore(KaijuTasksBuilder tasks) => tasks.UseSqlite(_file.ConnectionString);

    protected override DbTransaction BeginTransaction()
    {
        _connection = _file.Open();
        return _connection.BeginTransaction(deferred: true);
    }
}

public sealed class SqliteDisposedClientTests : DisposedClientTests, IDisposable
{
    private readonly TemporaryFile _file = new();
    private SqliteConnection? _connection;

    public void Dispose()
    {
        _connection?.Dispose();
        _file.Dispose();
    }

    protected override void UseStore(KaijuTasksBuilder tasks) => tasks.UseSqlite(_file.ConnectionString);

    protected override DbTransaction BeginTransaction()
    {
        _connection = _file.Open();
        return _connection.BeginTransaction(deferred: true);
    }
}
