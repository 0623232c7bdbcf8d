using Kaiju.Tasks.Tests.Callers;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Sqlite.Tests;

public sealed class SqliteFailedStageTests : FailedStageTests, IDisposable
{
    private readonly TemporaryFile _file = new();

    public void Dispose() => _file.Dispose();

    protected override void UseStore(KaijuTasksBuilder tasks) => tasks.UseSqlite(_file.ConnectionString);
}
