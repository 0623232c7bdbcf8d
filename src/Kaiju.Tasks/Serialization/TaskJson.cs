using System.Text.Json;

namespace Kaiju.Tasks.Serialization;

/// <summary>How user types become JSON in params, kws, messages and results, and back.</summary>
internal static class TaskJson
{
    /// <summary>System.Text.Json's Web defaults: camelCase, case-insensitive, numbers read from text.</summary>
    public static readonly JsonSerializerOptions DefaultOptions = Strict(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    /// <summary>The user's options, made to refuse text that no store can hold.</summary>
    public static JsonSerializerOptions Strict(JsonSerializerOptions options)
    {
        var strict = new JsonSerializerOptions(options);
        strict.Converters.Add(new StrictStringConverter());
        return strict;
    }
}
