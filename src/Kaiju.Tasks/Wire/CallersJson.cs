using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>JSON of values that a caller gives at once, and whose faults are the caller's.</summary>
internal static class CallersJson
{
    /// <summary>A value of a type that a source generator knows.</summary>
    /// <param name="value">The value.</param>
    /// <param name="typeInfo">How it is written.</param>
    /// <param name="place">Where it stands, such as <c>commands[1].params</c>, for the message.</param>
    /// <exception cref="TaskValidationException">It cannot be written, or would be lost.</exception>
    public static JsonElement Of<T>(T value, JsonTypeInfo<T> typeInfo, string place)
    {
        try
        {
            return JsonWriting.Element(value, typeInfo, place);
        }
        catch (UnwritableException e)
        {
            throw e.ForCaller();
        }
    }

    /// <summary>The exception of a caller whose value cannot be written.</summary>
    public static TaskValidationException ForCaller(this UnwritableException fault, string? taskId = null) =>
        new(taskId, [fault.Message], fault.InnerException);
}
