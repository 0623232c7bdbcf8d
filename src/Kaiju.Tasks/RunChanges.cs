using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks;

/// <summary>
/// The changes that retries by hand have made for the present run: its kws, and the params of stages. Two are equal if
/// their JSON has the same text.
/// </summary>
public sealed class RunChanges : IEquatable<RunChanges>
{
    private readonly string _text;

    private RunChanges(string text) => _text = text;

    /// <summary>
    /// The changes as a JSON object: <c>kws</c>, if they have changed, and <c>params</c> by the stage's number.
    /// </summary>
    public JsonElement Json => JsonElement.Parse(_text, new JsonDocumentOptions { MaxDepth = MaxDepth });

    /// <summary>The stored form: params and kws of the greatest depth, and two levels around them.</summary>
    private const int MaxDepth = 128;

    /// <summary>Reads changes that <see cref="ToJson"/> has written.</summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="JsonException">The text is not a JSON object.</exception>
    public static RunChanges FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var changes = new RunChanges(json);
        return changes.Json.ValueKind == JsonValueKind.Object
            ? changes
            : throw new JsonException("The changes of a run must be a JSON object.");
    }

    /// <summary>The definition with these changes.</summary>
    /// <param name="task">The complete definition.</param>
    public TaskDefinition Apply(TaskDefinition task)
    {
        ArgumentNullException.ThrowIfNull(task);
        var json = Json;
        if (json.TryGetProperty("params", out var changed))
        {
            var commands = task.Commands.ToArray();
            foreach (var member in changed.EnumerateObject())
            {
                if (int.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var stage)
                    && stage < commands.Length)
                {
                    commands[stage] = commands[stage] with { ParamsJson = member.Value };
                }
            }

            task = task with { Commands = commands };
        }

        return json.TryGetProperty("kws", out var kws) ? task with { KwsJson = kws } : task;
    }

    /// <summary>Writes the changes as JSON.</summary>
    public string ToJson() => _text;

    /// <summary>The size of the changes, without their contents.</summary>
    public override string ToString() => $"changes of {_text.Length} characters";

    /// <inheritdoc/>
    public bool Equals(RunChanges? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RunChanges);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);

    /// <summary>Earlier changes of the run with those of a retry; null if there are none.</summary>
    internal static RunChanges? Of(RunChanges? earlier, int stage, RetryChange? change)
    {
        if (change is null
            || (change.Params.ValueKind == JsonValueKind.Undefined && change.Kws.ValueKind == JsonValueKind.Undefined))
        {
            return earlier;
        }

        var parameters = new SortedDictionary<int, string>();
        var kws = default(string);
        if (earlier?.Json is { } known)
        {
            kws = known.TryGetProperty("kws", out var json) ? json.GetRawText() : null;
            if (known.TryGetProperty("params", out var changed))
            {
                foreach (var member in changed.EnumerateObject())
                {
                    parameters[int.Parse(member.Name, CultureInfo.InvariantCulture)] = member.Value.GetRawText();
                }
            }
        }

        if (change.Params.ValueKind != JsonValueKind.Undefined)
        {
            parameters[stage] = change.Params.GetRawText();
        }

        kws = change.Kws.ValueKind == JsonValueKind.Undefined ? kws : change.Kws.GetRawText();
        var members = new List<string>();
        if (kws is not null)
        {
            members.Add($"\"kws\":{kws}");
        }

        if (parameters.Count > 0)
        {
            members.Add($"\"params\":{{{string.Join(
                ',', parameters.Select(one => string.Create(
                    CultureInfo.InvariantCulture, $"\"{one.Key}\":{one.Value}")))}}}");
        }

        return new RunChanges($"{{{string.Join(',', members)}}}");
    }
}
