using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Hosting;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Kaiju.Tasks;

/// <summary>Adds commands, middleware and stores to a host. Returned by <c>AddKaijuTasks()</c>.</summary>
public sealed class KaijuTasksBuilder
{
    private readonly CommandRegistrations _commands;

    internal KaijuTasksBuilder(IServiceCollection services, CommandRegistrations commands)
    {
        Services = services;
        _commands = commands;
    }

    /// <summary>The host's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Registers a command. The handler's parameters are bound to the members of the params by name. Services,
    /// <see cref="StageContext"/> and <see cref="CancellationToken"/> are bound by type, keyed services by
    /// <c>[FromKeyedServices]</c>. A parameter with <see cref="ParamsAttribute"/> takes the params as a whole. The
    /// handler may return void, a value, a <see cref="StageOutcome"/> or <see cref="StageOutcome{T}"/>, a
    /// <see cref="System.Threading.Tasks.Task"/> or a <see cref="ValueTask"/>, with or without one of them.
    /// </summary>
    /// <param name="method">
    /// The command's name, 1 to 200 characters, not only blanks. A name that is registered twice fails the host's
    /// start.
    /// </param>
    /// <param name="handler">The handler, usually a lambda.</param>
    /// <param name="file">The caller's source file for messages, set by the compiler.</param>
    /// <param name="line">The caller's line for messages, set by the compiler.</param>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public KaijuTasksBuilder AddCommand(
        string method, Delegate handler, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        AddDelegate(method, handler, null, PlaceOf(file, line));

    /// <summary>
    /// Registers a command whose parameter of type <typeparamref name="TParams"/> takes the params as a whole.
    /// </summary>
    /// <typeparam name="TParams">The type of the params.</typeparam>
    /// <param name="method">The command's name, 1 to 200 characters, not only blanks.</param>
    /// <param name="handler">
    /// The handler, usually a lambda. Its other parameters are bound as for <see cref="AddCommand"/>.
    /// </param>
    /// <param name="file">The caller's source file for messages, set by the compiler.</param>
    /// <param name="line">The caller's line for messages, set by the compiler.</param>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public KaijuTasksBuilder AddCommand<TParams>(
        string method, Delegate handler, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        AddDelegate(method, handler, typeof(TParams), PlaceOf(file, line));

    /// <summary>Registers a command that takes and returns JSON, for trimmed and AOT-compiled apps.</summary>
    /// <param name="method">The command's name, 1 to 200 characters, not only blanks.</param>
    /// <param name="handler">
    /// The handler. Its params have their templates filled; without params they are undefined.
    /// </param>
    /// <param name="file">The caller's source file for messages, set by the compiler.</param>
    /// <param name="line">The caller's line for messages, set by the compiler.</param>
    public KaijuTasksBuilder AddJsonCommand(
        string method,
        Func<JsonElement, StageContext, CancellationToken, ValueTask<JsonElement>> handler,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(method, PlaceOf(file, line), _ => async (_, context, parameters, cancellationToken) =>
        {
            var result = await handler(parameters, context, cancellationToken).ConfigureAwait(false);
            return ResultWriter.Completed(ResultWriter.Owned(result, method));
        });
    }

    /// <summary>
    /// Registers a command that takes JSON and returns an outcome, such as <see cref="StageOutcome.Snooze"/>; for
    /// trimmed and AOT-compiled apps.
    /// </summary>
    /// <param name="method">The command's name, 1 to 200 characters, not only blanks.</param>
    /// <param name="handler">
    /// The handler. Its params have their templates filled; without params they are undefined.
    /// </param>
    /// <param name="file">The caller's source file for messages, set by the compiler.</param>
    /// <param name="line">The caller's line for messages, set by the compiler.</param>
    public KaijuTasksBuilder AddJsonCommand(
        string method,
        Func<JsonElement, StageContext, CancellationToken, ValueTask<StageOutcome>> handler,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(method, PlaceOf(file, line), _ => (_, context, parameters, cancellationToken) =>
            handler(parameters, context, cancellationToken));
    }

    /// <summary>
    /// Registers a command whose params and result have source-generated JSON contracts, for trimmed and AOT-compiled
    /// apps.
    /// </summary>
    /// <typeparam name="TParams">The type of the params.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="method">The command's name, 1 to 200 characters, not only blanks.</param>
    /// <param name="handler">
    /// The handler. It takes the params as a whole, with their templates filled; without params it takes <c>{}</c>.
    /// </param>
    /// <param name="parametersInfo">The JSON contract of the params.</param>
    /// <param name="resultInfo">The JSON contract of the result.</param>
    /// <param name="file">The caller's source file for messages, set by the compiler.</param>
    /// <param name="line">The caller's line for messages, set by the compiler.</param>
    public KaijuTasksBuilder AddJsonCommand<TParams, TResult>(
        string method,
        Func<TParams, StageContext, CancellationToken, ValueTask<TResult>> handler,
        JsonTypeInfo<TParams> parametersInfo,
        JsonTypeInfo<TResult> resultInfo,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddTyped<TParams, TResult>(
            method,
            async (parameters, context, cancellationToken) => ResultWriter.Completed(ResultWriter.Write(
                await handler(parameters, context, cancellationToken).ConfigureAwait(false), resultInfo, method)),
            parametersInfo,
            resultInfo,
            PlaceOf(file, line));
    }

    /// <summary>
    /// Registers a command whose params and result have source-generated JSON contracts, and whose stage may have
    /// another outcome, such as <see cref="StageOutcome.Snooze"/>; for trimmed and AOT-compiled apps.
    /// </summary>
    /// <typeparam name="TParams">The type of the params.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="method">The command's name, 1 to 200 characters, not only blanks.</param>
    /// <param name="handler">
    /// The handler. It takes the params as a whole, with their templates filled; without params it takes <c>{}</c>.
    /// </param>
    /// <param name="parametersInfo">The JSON contract of the params.</param>
    /// <param name="resultInfo">The JSON contract of the result.</param>
    /// <param name="file">The caller's source file for messages, set by the compiler.</param>
    /// <param name="line">The caller's line for messages, set by the compiler.</param>
    public KaijuTasksBuilder AddJsonCommand<TParams, TResult>(
        string method,
        Func<TParams, StageContext, CancellationToken, ValueTask<StageOutcome<TResult>>> handler,
        JsonTypeInfo<TParams> parametersInfo,
        JsonTypeInfo<TResult> resultInfo,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddTyped<TParams, TResult>(
            method,
            async (parameters, context, cancellationToken) =>
            {
                var ended = await handler(parameters, context, cancellationToken).ConfigureAwait(false);
                return ended.Outcome ?? ResultWriter.Completed(ResultWriter.Write(ended.Result!, resultInfo, method));
            },
            parametersInfo,
            resultInfo,
            PlaceOf(file, line));
    }

    /// <summary>
    /// Registers every method of a class that is marked with <see cref="CommandAttribute"/>, including private and
    /// static ones. For an instance method each stage resolves the class as a service. If the class is not registered,
    /// each stage creates an object and disposes of it afterwards.
    /// </summary>
    /// <typeparam name="T">The class.</typeparam>
    /// <exception cref="ArgumentException">
    /// The class has no such method, or the name of a command is null, blank or longer than 200 characters.
    /// </exception>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public KaijuTasksBuilder AddCommands<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods
        | DynamicallyAccessedMemberTypes.PublicConstructors)] T>()
        where T : class
    {
        var methods = CommandMethods.Of(typeof(T));
        if (methods.Count == 0)
        {
            throw new ArgumentException($"{TypeText.Of(typeof(T))} has no method with [Command(\"…\")].");
        }

        foreach (var (method, place) in methods)
        {
            Add(
                method.GetCustomAttribute<CommandAttribute>()!.Method,
                place,
                binding => DelegateCommand.Bind(method, typeof(T), binding));
        }

        return this;
    }

    /// <summary>
    /// Registers a command that the engine runs itself. It replaces a built-in special command with the same method.
    /// Two special commands of the host with the same method fail the host's start.
    /// </summary>
    /// <param name="command">The special command; one object serves all stages.</param>
    public KaijuTasksBuilder AddSpecialCommand(SpecialCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        Services.AddSingleton(command);
        return this;
    }

    /// <summary>
    /// Adds a middleware around every call of a handler, inside the middleware that was added before. Each stage gets
    /// the middleware from its own scope.
    /// </summary>
    /// <typeparam name="T">
    /// The type of the middleware. It is registered as a scoped service if it is not a service yet.
    /// </typeparam>
    public KaijuTasksBuilder AddStageMiddleware<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors)] T>()
        where T : class, IStageMiddleware
    {
        Services.TryAddScoped<T>();
        Services.AddSingleton(new StageMiddleware(typeof(T), services => services.GetRequiredService<T>()));
        return this;
    }

    /// <summary>
    /// Keeps tasks in the given store instead of in memory. For authors of stores. A host has one store; a second call
    /// fails its start.
    /// </summary>
    /// <param name="name">
    /// The name of the method that the host's code calls, for messages, such as <c>UseSqlite</c>.
    /// </param>
    /// <param name="store">The factory of the store.</param>
    /// <param name="queue">
    /// The factory of the queue. A store that is its own queue derives it from <see cref="Queueing.StoreQueue"/>.
    /// </param>
    public KaijuTasksBuilder UseStore(
        string name, Func<IServiceProvider, ITaskStore> store, Func<IServiceProvider, ITaskQueue> queue)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(queue);
        Services.AddSingleton(new StoreRegistration(name));
        Services.Replace(ServiceDescriptor.Singleton(store));
        Services.Replace(ServiceDescriptor.Singleton(queue));
        return this;
    }

    private KaijuTasksBuilder AddTyped<TParams, TResult>(
        string method,
        Func<TParams, StageContext, CancellationToken, ValueTask<StageOutcome>> handler,
        JsonTypeInfo<TParams> parametersInfo,
        JsonTypeInfo<TResult> resultInfo,
        string place)
    {
        ArgumentNullException.ThrowIfNull(parametersInfo);
        ArgumentNullException.ThrowIfNull(resultInfo);
        return Add(method, place, binding =>
        {
            if (Lossy.FindReadingFault(parametersInfo) is { } paramsLoss)
            {
                var type = TypeText.WithArticle(typeof(TParams));
                binding.Refuse($"its params are {type}, which cannot be read from JSON: {paramsLoss}.");
            }

            if (Lossy.FindFault(resultInfo) is { } resultLoss)
            {
                var type = TypeText.WithArticle(typeof(TResult));
                binding.Refuse($"its handler returns {type}, which cannot be written as JSON: {resultLoss}.");
            }

            return (_, context, parameters, cancellationToken) =>
                handler(ReadWhole(parameters, parametersInfo, method), context, cancellationToken);
        });
    }

    private static TParams ReadWhole<TParams>(
        JsonElement parameters, JsonTypeInfo<TParams> parametersInfo, string method)
    {
        var whole = JsonText.IsNothing(parameters) ? JsonText.EmptyObject : parameters;
        try
        {
            return whole.Deserialize(parametersInfo)!;
        }
        catch (JsonException e)
        {
            var fault = JsonPlace.Explain(e, whole, parametersInfo, "params");
            throw new ParamsBindingException($"The params of the command \"{method}\" cannot be read: {fault}.");
        }
    }

    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    private KaijuTasksBuilder AddDelegate(string method, Delegate handler, Type? whole, string place)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(method, place, binding => DelegateCommand.Bind(handler, whole, binding));
    }

    private KaijuTasksBuilder Add(string method, string place, Func<CommandBinding, CommandHandler?> bind)
    {
        if (CommandName.FindFault(method) is { } fault)
        {
            throw new ArgumentException($"The name of the command of {place} {fault}", nameof(method));
        }

        _commands.Add(new CommandRegistration(method, place, bind));
        return this;
    }

    // Only the name of the file: its folder is one of the build machine.
    private static string PlaceOf(string file, int line) => $"{Path.GetFileName(file.Replace('\\', '/'))}:{line}";
}
