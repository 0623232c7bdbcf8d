using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Sqlite.Tests;

/// <summary>
/// A file whose statements fail on request. Created and read ids and recorded results pass through a SQLite function.
/// It may throw any result code, or block the calling thread.
/// </summary>
internal sealed class FaultyFile : IDisposable
{
    private readonly TemporaryFile _file = new();
    private readonly ManualResetEventSlim _gate = new();
    private readonly TaskCompletionSource _isKept = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _spoiled = -1;
    private volatile int _opened;

    /// <summary>The text that makes a statement fail, and nothing else.</summary>
    public const string Bad = "bad";

    /// <summary>The id whose creation blocks the writer until <see cref="Release"/>.</summary>
    public const string Slow = "slow";

    /// <summary>The result code of statements about <see cref="Bad"/>; 0 for none.</summary>
    public int Code { get; set; }

    /// <summary>
    /// Everything fails with <see cref="Code"/>, and connections opened in the meantime are read-only for ever.
    /// </summary>
    public bool IsDown { get; set; }

    /// <summary>The number of opened connections.</summary>
    public int Opened => _opened;

    /// <summary>Completes when the writer is inside the creation of <see cref="Slow"/>.</summary>
    public Task IsKept => _isKept.Task.WaitAsync(TimeSpan.FromSeconds(30));

    public SqliteTasksOptions Options
    {
        get
        {
            var options = _file.Options;
            options.ChangePollInterval = TimeSpan.FromMilliseconds(10);
            options.Opened = Arm;
            return options;
        }
    }

    /// <summary>
    /// Every connection that is open now fails with <see cref="Code"/> for ever, in every call; later ones work.
    /// </summary>
    public void SpoilOpenConnections() => _spoiled = _opened;

    public void Release() => _gate.Set();

    public SqliteTaskStore NewStore(ILogger<SqliteTaskStore>? logger = null, SqliteTasksOptions? options = null) => new(
        options ?? Options,
        TimeProvider.System,
        new LifecycleRules(),
        IdSource.Random,
        logger ?? NullLogger<SqliteTaskStore>.Instance,
        changeSql: ChangeSql);

    public static string ChangeSql(string sql) => sql
        .Replace("values (@id, @creation,", "values (pass(@id), @creation,", StringComparison.Ordinal)
        .Replace("@claim, @result)", "@claim, pass(@result))", StringComparison.Ordinal)
        .Replace(
            "on s.task_no = t.task_no where t.id = @id",
            "on s.task_no = t.task_no where t.id = pass(@id)",
            StringComparison.Ordinal);

    public static TaskDefinition Definition(string id)
    {
        var services = new ServiceCollection();
        services.AddKaijuTasks();
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<TaskDefinitionChecker>().Prepare(
            new TaskDefinition { Id = id, Commands = [new("do"), new("do")] });
    }

    public SqliteConnection Open() => _file.Open();

    public void Dispose()
    {
        _gate.Dispose();
        _file.Dispose();
    }

    private void Arm(SqliteConnection connection)
    {
        var number = Interlocked.Increment(ref _opened);
        if (IsDown)
        {
            using var readOnly = connection.CreateCommand();
            readOnly.CommandText = "pragma query_only = 1";
            readOnly.ExecuteNonQuery();
        }

        connection.CreateFunction("pass", (string text) =>
        {
            if (text == Slow)
            {
                _isKept.TrySetResult();
                _gate.Wait(TimeSpan.FromSeconds(30));
            }

            var isFaulty = IsDown || number <= _spoiled || text.Contains(Bad, StringComparison.Ordinal);
            return isFaulty && Code is not 0 and var code ? throw new SqliteException("a fault", code, code) : text;
        });
    }
}
