using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>Writes values of a caller as JSON at once; their faults are reported to the caller.</summary>
internal static class CallersJson
{
    /// <summary>Writes a value of a type with source-generated JSON.</summary>
    /// <param name="value">The value.</param>
    /// <param name="typeInfo">The JSON contract of the value's type.</param>
    /// <param name="place">The place of the value for the message, such as <c>commands[1].params</c>.</param>
    /// <exception cref="TaskValidationException">The value cannot be written, or would be lost.</exception>
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

    /// <summary>Makes the exception for a caller whose value cannot be written.</summary>
    public static TaskValidationException ForCaller(this UnwritableException fault, string? taskId = null) =>
        new(taskId, [fault.Message], fault.InnerException);
}
