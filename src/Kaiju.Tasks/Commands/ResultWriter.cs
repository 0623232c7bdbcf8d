using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Serialization;

namespace Kaiju.Tasks.Commands;

/// <summary>Turns what a handler returned (nothing, a value, a Task or a ValueTask of either) into JSON.</summary>
internal static class ResultWriter
{
    /// <summary>The writer for a method's return type, made once.</summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static Func<object?, ValueTask<JsonElement>> For(Type returned, JsonSerializerOptions serializing)
    {
        serializing.MakeReadOnly(populateMissingResolver: true);
        if (returned == typeof(void))
        {
            return static _ => ValueTask.FromResult(JsonText.Null);
        }

        if (returned == typeof(Task))
        {
            return static result => OfTask((Task)result!);
        }

        if (returned == typeof(ValueTask))
        {
            return static result => OfTask(((ValueTask)result!).AsTask());
        }

        var generic = returned.IsGenericType ? returned.GetGenericTypeDefinition() : null;
        var (maker, value) = generic == typeof(Task<>) ? (nameof(ForTask), returned.GetGenericArguments()[0])
            : generic == typeof(ValueTask<>) ? (nameof(ForValueTask), returned.GetGenericArguments()[0])
            : (nameof(ForValue), returned);
        return (Func<object?, ValueTask<JsonElement>>)typeof(ResultWriter)
            .GetMethod(maker, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(value)
            .Invoke(null, [serializing.GetTypeInfo(value)])!;
    }

    /// <summary>Writes one value.</summary>
    /// <exception cref="ResultWritingException">It cannot be written.</exception>
    public static JsonElement Write<T>(T value, JsonTypeInfo<T> typeInfo)
    {
        if (value is JsonElement json)
        {
            return JsonText.OwnedOrNull(json);
        }

        if (value is null)
        {
            return JsonText.Null;
        }

        try
        {
            return JsonWriting.Element(value, typeInfo);
        }
        catch (JsonException e)
        {
            throw new ResultWritingException($"The result, a {typeof(T)}, cannot be written as JSON: {e.Message}", e);
        }
    }

    private static async ValueTask<JsonElement> OfTask(Task task)
    {
        await task.ConfigureAwait(false);
        return JsonText.Null;
    }

    private static Func<object?, ValueTask<JsonElement>> ForValue<T>(JsonTypeInfo typeInfo) =>
        result => ValueTask.FromResult(Write((T)result!, (JsonTypeInfo<T>)typeInfo));

    private static Func<object?, ValueTask<JsonElement>> ForTask<T>(JsonTypeInfo typeInfo) =>
        async result => Write(await ((Task<T>)result!).ConfigureAwait(false), (JsonTypeInfo<T>)typeInfo);

    private static Func<object?, ValueTask<JsonElement>> ForValueTask<T>(JsonTypeInfo typeInfo) =>
        async result => Write(await ((ValueTask<T>)result!).ConfigureAwait(false), (JsonTypeInfo<T>)typeInfo);
}
