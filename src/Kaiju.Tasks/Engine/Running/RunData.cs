using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>The input of a run's stages: its task, and the results so far.</summary>
internal sealed class RunData
{
    private readonly JsonElement _executor;
    private readonly JsonElement[] _results;
    private Dictionary<string, JsonElement>? _environment;
    private int _count;

    /// <summary>Creates the data with the results that were claimed with the task.</summary>
    /// <param name="task">The claimed task.</param>
    /// <param name="executor">The executor's data for templates, a JSON object.</param>
    public RunData(ExecutorTask task, JsonElement executor)
    {
        (Task, _executor) = (task, executor);
        _results = new JsonElement[task.Result.Count + task.Commands.Count];
        foreach (var result in task.Result)
        {
            _results[_count++] = result;
        }
    }

    public ExecutorTask Task { get; }

    /// <summary>The data for templates and conditions, built on first use.</summary>
    public IReadOnlyDictionary<string, JsonElement> Environment => _environment ??= NewEnvironment();

    /// <summary>The results so far; later results do not change the list.</summary>
    public IReadOnlyList<JsonElement> Results => _count == 0 ? [] : new ArraySegment<JsonElement>(_results, 0, _count);

    public void Add(int stage, JsonElement result)
    {
        _environment?.Add(NameOf(stage), result);
        _results[_count++] = result;
    }

    private Dictionary<string, JsonElement> NewEnvironment()
    {
        var environment = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
        {
            ["id"] = JsonWriting.Text(Task.Id),
            ["kws"] = Task.Kws,
            ["executor"] = _executor,
        };
        for (var place = 0; place < _count; place++)
        {
            var claimed = Task.Result.Count;
            environment.Add(NameOf(place < claimed ? place : Task.Stage + place - claimed), _results[place]);
        }

        return environment;
    }

    private static string NameOf(int stage) => stage.ToString(CultureInfo.InvariantCulture);
}
