using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Kaiju.Tasks.Client;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Templates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kaiju.Tasks.Benchmarks.Micro;

/// <summary>
/// The cost of the parts of a stage: filled templates, an evaluated condition, a bound and called handler.
/// </summary>
[MemoryDiagnoser]
[ShortRunJob]
public class StagePartBenchmarks : IDisposable
{
    private readonly Dictionary<string, JsonElement> _environment = new()
    {
        ["id"] = JsonSerializer.SerializeToElement("a task"),
        ["kws"] = JsonSerializer.SerializeToElement(new { name = "name" }),
        ["0"] = JsonSerializer.SerializeToElement(new { id = 7, more = new[] { 1, 2, 3 } }),
    };

    private readonly ServiceProvider _services;
    private readonly CommandHandler _handler;
    private readonly TaskCommand _plain;
    private readonly TaskCommand _filled;
    private readonly TaskCommand _asked;
    private readonly StageContext _stage;

    /// <summary>Prepares a task of three commands, and a handler of one argument.</summary>
    public StagePartBenchmarks()
    {
        var services = new ServiceCollection();
        services.AddLogging().AddKaijuTasks().AddCommand("count", (int id) => id);
        _services = services.BuildServiceProvider();
        _handler = _services.GetRequiredService<CommandCatalog>().Find("count")!;
        var task = _services.GetRequiredService<TaskDefinitionChecker>().Prepare(new TaskDefinition
        {
            Commands =
            [
                new TaskCommand("count", new { id = 7 }),
                new TaskCommand("count", new { id = "[0.id]", name = "a [kws.name] b" }),
                new TaskCommand("count", new { id = 1 }) { Condition = TaskCondition.Where("0.id").GreaterThan(5) },
            ],
        });
        (_plain, _filled, _asked) = (task.Commands[0], task.Commands[1], task.Commands[2]);
        var state = new ManagedState
        {
            State = TaskState.Executing,
            Claim = Guid.NewGuid(),
            JobId = "run",
            ResultRun = "run",
            ExecDeadline = DateTimeOffset.UnixEpoch,
        };
        _stage = new StageContext { TaskId = task.Id!, Method = "count", JobId = state.JobId };
    }

    /// <summary>The check of params without a template, which are used unchanged.</summary>
    [Benchmark]
    public bool SeeNoTemplate() => CompiledCommand.IsConstant(_plain);

    /// <summary>A reference to a result, and one within a text; parsed before.</summary>
    [Benchmark]
    public JsonElement FillTemplates() =>
        CompiledCommand.Of(_filled).Fill(TemplateData.Environment(_environment), new TemplateBudget()).Params;

    /// <summary>A comparison with a member of a result.</summary>
    [Benchmark]
    public bool AskCondition()
    {
        var (data, budget) = (TemplateData.Environment(_environment), new TemplateBudget());
        return CommandCondition.ShouldRun(CompiledCommand.Of(_asked).Fill(data, budget).Condition, data, budget);
    }

    /// <summary>The argument is bound, the handler called, its result written.</summary>
    [Benchmark]
    public async Task<StageOutcome> InvokeAsync() =>
        await _handler(_services, _stage, _plain.ParamsJson, CancellationToken.None);

    /// <inheritdoc/>
    public void Dispose()
    {
        _services.Dispose();
        GC.SuppressFinalize(this);
    }
}
