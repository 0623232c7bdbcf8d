using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>What a run computes with: its task, and the results of its stages so far.</summary>
internal sealed class RunData
{
    private readonly JsonElement _executor;
    private readonly JsonElement[] _results;
    private Dictionary<string, JsonElement>? _environment;
    private int _count;

    /// <summary>Begins with the results that were claimed with the task.</summary>
    /// <param name="task">The claimed task.</param>
    /// <param name="executor">What templates see of the executor.</param>
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

    /// <summary>What templates and conditions see; put together when one of them asks.</summary>
    public IReadOnlyDictionary<string, JsonElement> Environment => _environment ??= NewEnvironment();

    /// <summary>The results so far, as they are now.</summary>
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
