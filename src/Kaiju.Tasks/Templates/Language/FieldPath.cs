using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>A path into the data: keys joined by <c>.</c> (select, conditions) or <c>-</c> (format).</summary>
/// <remarks>
/// An array on the path is not indexed: the rest of the path is looked up in each of its elements.
/// </remarks>
internal sealed class FieldPath(string text, char delimiter)
{
    private const int LongestShown = 60;

    private readonly string[] _parts = text.Split(delimiter, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The keys; empty for the whole data.</summary>
    public IReadOnlyList<string> Parts => _parts;

    /// <summary>
    /// The value at the path, or the fallback if it is missing. Without a fallback, that is an error.
    /// </summary>
    public TemplateValue Find(Evaluation evaluation, TemplateValue? fallback)
    {
        if (_parts.Length == 0)
        {
            evaluation.Step();
            return new TemplateValue(evaluation.Data.Whole(evaluation));
        }

        if (!evaluation.Data.IsObject)
        {
            return Walk(evaluation.Data.Whole(evaluation), 0, 0, evaluation, fallback);
        }

        return evaluation.Data.TryGetMember(_parts[0], evaluation, out var member)
            ? Walk(member, 1, 0, evaluation, fallback)
            : fallback ?? throw Missing(0, evaluation);
    }

    private TemplateValue Walk(JsonElement value, int part, int depth, Evaluation evaluation, TemplateValue? fallback)
    {
        for (; part < _parts.Length; part++)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.Object when evaluation.TryGetMember(value, _parts[part], out var member):
                    value = member;
                    break;
                case JsonValueKind.Array:
                    return Collect(value, part, depth + 1, evaluation, fallback);
                default:
                    return fallback ?? throw Missing(part, evaluation);
            }
        }

        return new TemplateValue(value);
    }

    private TemplateValue Collect(
        JsonElement array, int part, int depth, Evaluation evaluation, TemplateValue? fallback)
    {
        evaluation.RequireDepth(depth);
        var length = array.GetArrayLength();

        // Charge the budget before the memory is allocated.
        evaluation.Step(length);
        var items = new TemplateValue[length];
        var index = 0;
        foreach (var item in array.EnumerateArray())
        {
            items[index++] = Walk(item, part, depth, evaluation, fallback);
        }

        return TemplateValue.Of(items);
    }

    private TemplateException Missing(int part, Evaluation evaluation)
    {
        var path = ErrorText.Cut(text, LongestShown);
        var key = ErrorText.Cut(_parts[part], LongestShown);
        return evaluation.Fail(
            TemplateErrorKind.MissingKey,
            $"there is no \"{key}\" in the data for the path \"{path}\". A default, as in [{path}:None], makes it "
                + "optional.");
    }
}
