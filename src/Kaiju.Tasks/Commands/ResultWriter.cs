using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Serialization;

namespace Kaiju.Tasks.Commands;

/// <summary>Turns what a handler returned (nothing, a value, a Task or a ValueTask of either) into JSON.</summary>
internal static class ResultWriter
{
    /// <summary>The writer for a method's return type, made once; null if nothing could be written of it, which is refused.</summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static Func<object?, ValueTask<JsonElement>>? For(Type returned, CommandBinding binding)
    {
        var serializing = binding.Host.Serializing;
        serializing.MakeReadOnly(populateMissingResolver: true);
        if (returned == typeof(void))
        {
            return static _ => ValueTask.FromResult(JsonText.Null);
        }

        if (returned == typeof(ValueTask))
        {
            return static result => OfTask(((ValueTask)result!).AsTask());
        }

        var (maker, value) = Awaited.ResultOf(returned) is { } ofTask ? (nameof(ForTask), ofTask)
            : Awaited.IsValueTaskOf(returned) ? (nameof(ForValueTask), returned.GetGenericArguments()[0])
            : (nameof(ForValue), returned);
        if (maker == nameof(ForValue) && typeof(Task).IsAssignableFrom(returned))
        {
            return result => OfTask((Task?)result ?? throw NoTask(binding));
        }

        if (FindFault(value, serializing) is { } fault)
        {
            binding.Refuse($"its handler returns {TypeText.WithArticle(returned)}, {fault}.");
            return null;
        }

        return (Func<object?, ValueTask<JsonElement>>)typeof(ResultWriter)
            .GetMethod(maker, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(value)
            .Invoke(null, [serializing.GetTypeInfo(value), binding])!;
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

    /// <summary>Why a value of the type cannot be a result; null if it can, as far as the type tells.</summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static string? FindFault(Type type, JsonSerializerOptions serializing)
    {
        if (Awaited.IsTask(type))
        {
            return "whose inner task nothing would await; await it and return its value";
        }

        if (type.GetMethod(nameof(Task.GetAwaiter), BindingFlags.Public | BindingFlags.Instance, []) is not null)
        {
            return "which nothing would await; return a Task or a ValueTask";
        }

        if (type.IsByRef || type.IsPointer || type.IsByRefLike || typeof(Delegate).IsAssignableFrom(type) || typeof(Stream).IsAssignableFrom(type))
        {
            return "which cannot be written as JSON";
        }

        try
        {
            return serializing.GetTypeInfo(type).Kind == JsonTypeInfoKind.Enumerable && IsStream(type)
                ? "which is not one value; read it to its end and return a list"
                : null;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            return $"which cannot be written as JSON: {e.Message.TrimEnd('.')}";
        }
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    private static bool IsStream(Type type) =>
        type.GetInterfaces().Append(type).Any(part => part.IsGenericType && part.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>));

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    private static async ValueTask<JsonElement> OfTask(Task task)
    {
        await Awaited.WhenDoneAsync(task).ConfigureAwait(false);
        return JsonText.Null;
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static Func<object?, ValueTask<JsonElement>> ForValue<T>(JsonTypeInfo typeInfo, CommandBinding binding)
    {
        var writer = WriterOf<T>(typeInfo, binding);
        return result => writer((T)result!);
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static Func<object?, ValueTask<JsonElement>> ForTask<T>(JsonTypeInfo typeInfo, CommandBinding binding)
    {
        var writer = WriterOf<T>(typeInfo, binding);
        return async result => await writer(await ((Task<T>?)result ?? throw NoTask(binding)).ConfigureAwait(false)).ConfigureAwait(false);
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static Func<object?, ValueTask<JsonElement>> ForValueTask<T>(JsonTypeInfo typeInfo, CommandBinding binding)
    {
        var writer = WriterOf<T>(typeInfo, binding);
        return async result => await writer(await ((ValueTask<T>)result!).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Writes a value. One whose type may hide a task is awaited if it is one, and written by the type that it turns out to have.</summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static Func<T, ValueTask<JsonElement>> WriterOf<T>(JsonTypeInfo typeInfo, CommandBinding binding)
    {
        if (!Awaited.MayBeTask(typeof(T)))
        {
            var own = (JsonTypeInfo<T>)typeInfo;
            return value => ValueTask.FromResult(Write(value, own));
        }

        var any = (JsonTypeInfo<object?>)binding.Host.Serializing.GetTypeInfo(typeof(object));
        return async value => Write(await Awaited.ValueOfAsync(value).ConfigureAwait(false), any);
    }

    private static InvalidOperationException NoTask(CommandBinding binding) =>
        new($"{binding.Command}: its handler returned null instead of a Task.");
}
