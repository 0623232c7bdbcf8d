using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks.Commands;

/// <summary>
/// Makes an outcome of the return value of a handler: void, a value, an outcome, or a Task or ValueTask of one.
/// </summary>
internal static class ResultWriter
{
    private static readonly StageOutcome _noResult = Completed(JsonText.Null);

    /// <summary>
    /// Makes the writer for a method's return type. If the type cannot be written, adds a fault to the binding and
    /// returns null.
    /// </summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public static Func<object?, ValueTask<StageOutcome>>? For(Type returned, CommandBinding binding)
    {
        var contracts = WritingContracts.Of(binding.Host.Serializing);
        if (returned == typeof(void))
        {
            return static _ => ValueTask.FromResult(_noResult);
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

        if (value == typeof(StageOutcome))
        {
            return result => OfOutcomeAsync(result, null, binding);
        }

        var ofOutcome = ResultOf(value);
        if (FindFault(ofOutcome ?? value, contracts) is { } fault)
        {
            binding.Refuse($"its handler returns {TypeText.WithArticle(returned)}, {fault}.");
            return null;
        }

        if (ofOutcome is not null)
        {
            var resultInfo = contracts.Declared(ofOutcome);
            return result => OfOutcomeAsync(result, resultInfo, binding);
        }

        return (Func<object?, ValueTask<StageOutcome>>)typeof(ResultWriter)
            .GetMethod(maker, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(value)
            .Invoke(null, [contracts.Declared(value), binding])!;
    }

    /// <summary>The outcome of a stage with a result that was written here.</summary>
    public static StageOutcome Completed(JsonElement owned) => new StageOutcome.Done(owned, isOwned: true);

    /// <summary>Writes one value.</summary>
    /// <exception cref="ResultWritingException">The value cannot be written.</exception>
    public static JsonElement Write<T>(T value, JsonTypeInfo<T> typeInfo, string method)
    {
        try
        {
            return ResultJson.Write(value, typeInfo);
        }
        catch (UnwritableException e)
        {
            throw Unwritable(method, e);
        }
    }

    private static JsonElement Write(IStageOutcome done, JsonTypeInfo typeInfo, string method)
    {
        try
        {
            return done.WriteResult(typeInfo);
        }
        catch (UnwritableException e)
        {
            throw Unwritable(method, e);
        }
    }

    /// <summary>Returns a result that is already JSON.</summary>
    /// <exception cref="ResultWritingException">The document of the result was disposed of.</exception>
    public static JsonElement Owned(JsonElement json, string method)
    {
        try
        {
            return ResultJson.Owned(json);
        }
        catch (UnwritableException e)
        {
            throw Unwritable(method, e);
        }
    }

    /// <summary>The message about an invalid result of a command.</summary>
    public static string Explain(string method, string fault) => $"The result of \"{method}\" is invalid: {fault}";

    private static ResultWritingException Unwritable(string method, UnwritableException e) =>
        new(Explain(method, e.Shape), e.InnerException);

    /// <summary>Writes a value by its runtime type.</summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static JsonElement WriteAny(object? value, CommandBinding binding)
    {
        try
        {
            return JsonText.OrNull(JsonInput.Of(value).Owned(binding.Host.Serializing, ResultJson.Place));
        }
        catch (UnwritableException e)
        {
            throw Unwritable(binding.Registration.Method, e);
        }
    }

    /// <summary>Returns why a value of the type cannot be a result; null if it can, as far as the type shows.</summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static string? FindFault(Type type, WritingContracts contracts)
    {
        if (Awaited.IsTask(type))
        {
            return "whose inner task would not be awaited; await it and return its value";
        }

        if (type.GetMethod(nameof(Task.GetAwaiter), BindingFlags.Public | BindingFlags.Instance, []) is not null)
        {
            return "which would not be awaited; return a Task or a ValueTask";
        }

        if (type.IsByRef || type.IsPointer || type.IsByRefLike || typeof(Delegate).IsAssignableFrom(type)
            || typeof(Stream).IsAssignableFrom(type))
        {
            return "which cannot be written as JSON";
        }

        try
        {
            var typeInfo = contracts.Declared(type);
            return typeInfo.Kind == JsonTypeInfoKind.Enumerable && IsStream(type)
                ? "which is not one value; read it to its end and return a list"
                : Lossy.FindFault(typeInfo) is { } loss ? $"which cannot be written as JSON: {loss}"
                : null;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            return $"which cannot be written as JSON: {e.Message.TrimEnd('.')}";
        }
    }

    /// <summary>The result type of a <see cref="StageOutcome{T}"/>; null for other types.</summary>
    private static Type? ResultOf(Type type)
    {
        var outcome = Nullable.GetUnderlyingType(type) ?? type;
        return typeof(IStageOutcome).IsAssignableFrom(outcome) && outcome.IsGenericType
            ? outcome.GetGenericArguments()[0]
            : null;
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    private static bool IsStream(Type type) =>
        type.GetInterfaces().Append(type).Any(
            part => part.IsGenericType && part.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>));

    /// <summary>
    /// Awaits a handler that declares outcomes. The value is boxed, so that no generic code is made at run time.
    /// </summary>
    /// <param name="returned">The return value of the handler.</param>
    /// <param name="resultInfo">The contract of the result; null if the outcome has no type.</param>
    /// <param name="binding">The command.</param>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    private static async ValueTask<StageOutcome> OfOutcomeAsync(
        object? returned, JsonTypeInfo? resultInfo, CommandBinding binding) =>
        await Awaited.ValueOfAsync(returned).ConfigureAwait(false) switch
        {
            StageOutcome outcome => outcome,
            IStageOutcome { Outcome: { } outcome } => outcome,
            IStageOutcome done => Completed(Write(done, resultInfo!, binding.Registration.Method)),
            _ => throw new InvalidOperationException($"{binding.Command}: its handler returned no outcome."),
        };

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    private static async ValueTask<StageOutcome> OfTask(Task task)
    {
        await Awaited.WhenDoneAsync(task).ConfigureAwait(false);
        return _noResult;
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static Func<object?, ValueTask<StageOutcome>> ForValue<T>(JsonTypeInfo typeInfo, CommandBinding binding)
    {
        var writer = WriterOf<T>(typeInfo, binding);
        return result => writer((T)result!);
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static Func<object?, ValueTask<StageOutcome>> ForTask<T>(JsonTypeInfo typeInfo, CommandBinding binding)
    {
        var writer = WriterOf<T>(typeInfo, binding);
        return async result =>
            await writer(await ((Task<T>?)result ?? throw NoTask(binding)).ConfigureAwait(false)).ConfigureAwait(false);
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static Func<object?, ValueTask<StageOutcome>> ForValueTask<T>(JsonTypeInfo typeInfo, CommandBinding binding)
    {
        var writer = WriterOf<T>(typeInfo, binding);
        return async result => await writer(await ((ValueTask<T>)result!).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes the writer of a type. If the type may hide a task, a task is awaited, and its value is written by its
    /// runtime type.
    /// </summary>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private static Func<T, ValueTask<StageOutcome>> WriterOf<T>(JsonTypeInfo typeInfo, CommandBinding binding)
    {
        if (!Awaited.MayBeTask(typeof(T)))
        {
            var own = (JsonTypeInfo<T>)typeInfo;
            return value => ValueTask.FromResult(Completed(Write(value, own, binding.Registration.Method)));
        }

        return async value => await Awaited.ValueOfAsync(value).ConfigureAwait(false) switch
        {
            StageOutcome outcome => outcome,
            IStageOutcome { Outcome: { } outcome } => outcome,
            var written => Completed(WriteAny(written, binding)),
        };
    }

    private static InvalidOperationException NoTask(CommandBinding binding) =>
        new($"{binding.Command}: its handler returned null instead of a Task.");
}
