using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>
/// Tasks by their types: which types are tasks, and the value behind one of which only the object tells that it is a
/// task.
/// </summary>
internal static class Awaited
{
    // By the tasks' runtime types, of which a program has as many as it has async methods.
    private static readonly ConcurrentDictionary<Type, PropertyInfo?> _results = new();

    /// <summary>True for tasks and value tasks, with and without a value.</summary>
    public static bool IsTask(Type type) =>
        typeof(Task).IsAssignableFrom(type) || type == typeof(ValueTask) || IsValueTaskOf(type);

    /// <summary>
    /// True if an object of such a type may be a task though the type is none, such as <c>object</c>.
    /// </summary>
    public static bool MayBeTask(Type type) =>
        type.IsAssignableFrom(typeof(Task)) || type.IsAssignableFrom(typeof(ValueTask));

    /// <summary>What <c>Task&lt;T&gt;</c>, or a class derived from it, gives; null if the type is none.</summary>
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

    /// <summary>Awaits what is a task, and what that task gives, until there is a value that is not a task.</summary>
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
    /// Awaits a task that is declared to give nothing, and the task within it: what <c>StartNew(async …)</c> gives.
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

    // An async method without a value is a task of a type that stands for nothing.
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    private static PropertyInfo? ResultProperty(Type type) =>
        ResultOf(type) is { FullName: not "System.Threading.Tasks.VoidTaskResult" }
            ? type.GetProperty(nameof(Task<>.Result))
            : null;
}
