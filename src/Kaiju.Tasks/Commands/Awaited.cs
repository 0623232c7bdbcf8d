using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>Recognizes tasks by their types, and awaits the value of an object that turns out to be a task.</summary>
internal static class Awaited
{
    // Keyed by the runtime type of a task. A program has a bounded number of them, one for each async method.
    private static readonly ConcurrentDictionary<Type, PropertyInfo?> _results = new();

    /// <summary>True for tasks and value tasks, with and without a value.</summary>
    public static bool IsTask(Type type) =>
        typeof(Task).IsAssignableFrom(type) || type == typeof(ValueTask) || IsValueTaskOf(type);

    /// <summary>True if the type is not a task but its objects may be tasks, as for <c>object</c>.</summary>
    public static bool MayBeTask(Type type) =>
        type.IsAssignableFrom(typeof(Task)) || type.IsAssignableFrom(typeof(ValueTask));

    /// <summary>The result type of <c>Task&lt;T&gt;</c> or of a class derived from it; null for other types.</summary>
    public static Type? ResultOf(Type? type)
    {
        while (type is not null && !(type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>)))
        {
            type = type.BaseType;
        }

        return type?.GetGenericArguments()[0];
    }

    public static bool IsValueTaskOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>);

    /// <summary>Awaits the value if it is a task, then the task's result, until the value is not a task.</summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    public static async ValueTask<object?> ValueOfAsync(object? value)
    {
        while (value is not null)
        {
            switch (value)
            {
                case Task task:
                    await task.ConfigureAwait(false);
                    value = ResultOf(task);
                    break;
                case ValueTask task:
                    await WhenDoneAsync(task.AsTask()).ConfigureAwait(false);
                    return null;
                case { } other when IsValueTaskOf(other.GetType()):
                    value = other.GetType().GetMethod(nameof(ValueTask.AsTask))!.Invoke(other, null);
                    break;
                default:
                    return value;
            }
        }

        return null;
    }

    /// <summary>
    /// Awaits a task that is declared without a result, and the task inside it, as <c>StartNew(async …)</c> returns it.
    /// </summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    public static async ValueTask WhenDoneAsync(Task task)
    {
        await task.ConfigureAwait(false);
        if (ResultOf(task) is { } inner && IsTask(inner.GetType()))
        {
            await ValueOfAsync(inner).ConfigureAwait(false);
        }
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    private static object? ResultOf(Task task) => ReferenceEquals(task, Task.CompletedTask)
        ? null
        : _results.GetOrAdd(
            task.GetType(), [RequiresUnreferencedCode(TrimmingNotice.Message)] static (type) => ResultProperty(type))
            ?.GetValue(task);

    // The task of an async method without a value has a result of an internal type that stands for void.
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    private static PropertyInfo? ResultProperty(Type type) =>
        ResultOf(type) is { FullName: not "System.Threading.Tasks.VoidTaskResult" }
            ? type.GetProperty(nameof(Task<>.Result))
            : null;
}
