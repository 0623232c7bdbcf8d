using BenchmarkDotNet.Attributes;
using Kaiju.Tasks.Client;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Benchmarks.Micro;

/// <summary>The cost of a definition: checked, written and read by stores and on the wire.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class DefinitionBenchmarks : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly TaskDefinitionChecker _checker;
    private readonly TaskDefinition _given;
    private readonly TaskDefinition _prepared;
    private readonly byte[] _stored;
    private readonly string _wire;

    /// <summary>A task of two stages, the second with a template and a condition.</summary>
    public DefinitionBenchmarks()
    {
        var services = new ServiceCollection();
        services.AddLogging().AddKaijuTasks();
        _services = services.BuildServiceProvider();
        _checker = _services.GetRequiredService<TaskDefinitionChecker>();
        _given = new TaskDefinition
        {
            Kws = new { limit = 10 },
            Commands =
            [
                new TaskCommand("first", new { id = 1, name = "a name" }),
                new TaskCommand("second", new { of = "[0]" }) { Condition = TaskCondition.Where("0").GreaterThan(5) },
            ],
        };
        _prepared = _checker.Prepare(_given);
        _stored = System.Text.Encoding.UTF8.GetBytes(_prepared.ToStoredJson());
        _wire = _prepared.ToJson();
    }

    /// <summary>The check before every store.</summary>
    [Benchmark]
    public TaskDefinition Prepare() => _checker.Prepare(_given);

    /// <summary>A store writes the definition.</summary>
    [Benchmark]
    public string WriteStored() => _prepared.ToStoredJson();

    /// <summary>A store reads the definition.</summary>
    [Benchmark]
    public TaskDefinition ReadStored() => TaskDefinition.FromStoredJson(_stored, "id", "default");

    /// <summary>The definition is read from the wire and checked.</summary>
    [Benchmark]
    public TaskDefinition ReadWire() => TaskDefinition.FromJson(_wire);

    /// <inheritdoc/>
    public void Dispose()
    {
        _services.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>
/// The engine's cost of a task in memory, from its creation to its recorded end: filling, condition, invocation,
/// result.
/// </summary>
[MemoryDiagnoser]
[ShortRunJob]
public class StageBenchmarks : IDisposable
{
    private const int Tasks = 1000;

    private IHost? _host;
    private ITaskClient? _tasks;
    private CountdownEvent? _left;

    /// <summary>The kind of each task's only stage: plain, with a template, with a condition.</summary>
    [BenchmarkDotNet.Attributes.Params("plain", "template", "condition")]
    public string Stage { get; set; } = "plain";

    /// <summary>Starts a host.</summary>
    [GlobalSetup]
    public async Task SetupAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddKaijuTasks(options => options.Capacity = 100).AddCommand("count", (int id) =>
        {
            _left!.Signal();
            return id;
        });
        _host = builder.Build();
        await _host.StartAsync();
        _tasks = _host.Services.GetRequiredService<ITaskClient>();
    }

    /// <summary>Stops the host.</summary>
    [GlobalCleanup]
    public Task CleanupAsync() => _host!.StopAsync();

    /// <inheritdoc/>
    public void Dispose()
    {
        _host?.Dispose();
        _left?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs a thousand tasks.</summary>
    [Benchmark(OperationsPerInvoke = Tasks)]
    public async Task RunAsync()
    {
        _left?.Dispose();
        _left = new CountdownEvent(Tasks);
        await _tasks!.CreateManyAsync(Enumerable.Range(0, Tasks).Select(id => Stage switch
        {
            "template" =>
                new TaskDefinition { Kws = new { id }, Commands = [new TaskCommand("count", new { id = "[kws.id]" })] },
            "condition" => new TaskDefinition
            {
                Kws = new { id },
                Commands = [
                    new TaskCommand("count", new { id }) { Condition = TaskCondition.Where("kws.id").GreaterThan(-1) }],
            },
            _ => new TaskDefinition { Commands = [new TaskCommand("count", new { id })] },
        }));
        _left.Wait();
    }
}
