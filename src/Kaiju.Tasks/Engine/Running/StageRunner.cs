using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Templates;
using Kaiju.Tasks.Threading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Runs one stage: fills its templates, evaluates its condition and calls its handler. Does not write to the store.
/// </summary>
internal sealed class StageRunner(
    CommandCatalog catalog,
    SpecialCommandRegistry specials,
    IEnumerable<StageMiddleware> middlewares,
    IServiceScopeFactory scopes,
    HostEnd end,
    TimeProvider clock,
    Offload offload,
    KaijuTasksOptions options,
    ILoggerFactory loggers)
{
    private readonly ILogger _logger = new GuardedLogger<StageRunner>(loggers.CreateLogger("Kaiju.Tasks.Commands"));
    private readonly JsonSerializerOptions _serializing = options.SerializerOptions;
    private readonly StageMiddleware[] _middlewares = [.. middlewares];
    private readonly TaskLimits _limits = options.Limits;
    private readonly TemplateSources _sources = new(clock, RandomNumberGenerator.Fill);

    /// <summary>
    /// The methods to announce: those of commands and of special commands. Null for an executor that takes every task.
    /// </summary>
    public IReadOnlyCollection<string>? Announced { get; } = options.UnknownCommands == UnknownCommands.Fail
        ? null
        : catalog.Methods.Concat(specials.Methods).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>
    /// Runs a stage on this thread. The turn is <see cref="StageTurn.Abandoned"/> if a stop took the run from the
    /// thread.
    /// </summary>
    public ValueTask<StageTurn> RunAsync(ActiveRun run, int stage)
    {
        var command = run.Task.Commands[stage - run.Task.Stage];
        run.Method = command.Method;
        try
        {
            if (CompiledCommand.IsConstant(command))
            {
                return InvokeAsync(run, stage, command, new FilledCommand(command.Method, command.ParamsJson, default));
            }

            var data = TemplateData.Environment(run.Data.Environment);
            var budget = new TemplateBudget(
                _limits.MaxTemplateSteps, _limits.MaxParamsBytes, _limits.MaxJsonDepth, _sources);
            var filled = CompiledCommand.Of(command).Fill(data, budget);
            return CommandCondition.ShouldRun(filled.Condition, data, budget, "condition")
                ? InvokeAsync(run, stage, command, filled)
                : ValueTask.FromResult<StageTurn>(new StageTurn.Ended(StageOutcome.Completed()));
        }
        catch (TemplateException e)
        {
            var isCondition = e.Place.StartsWith("condition", StringComparison.Ordinal);
            var kind = isCondition ? TaskErrorKind.Condition : TaskErrorKind.Template;
            var outcome = StageOutcome.Failed(Error(kind, e.Message, e.Kind));
            return ValueTask.FromResult<StageTurn>(new StageTurn.Ended(outcome, e));
        }
    }

    /// <summary>Returns the turn of the running stage after a stop.</summary>
    public StageTurn DescribeStop(ActiveRun run) => run.Stop.Reason switch
    {
        StopReason.Superseded or StopReason.Stopping => StageTurn.Stopped.Instance,
        StopReason.Deadline => new StageTurn.Ended(StageOutcome.Failed(
            Error(
                TaskErrorKind.Timeout,
                $"The run missed its deadline at stage {run.Call.Stage}: max_exec_timeout expired."),
            TaskExitCode.Aborted)),
        _ => new StageTurn.Ended(StageOutcome.Failed(Error(
            TaskErrorKind.StageTimeout,
            $"The stage took longer than its max_timeout of {run.StageTimeout!.Value.TotalSeconds} s."))),
    };

    /// <summary>
    /// Calls the handler on this thread: most handlers return or await sooner than a hand-over to another thread would
    /// take. If a handler keeps the thread beyond its time, the run continues on another one. See docs/decisions/0007.
    /// </summary>
    private ValueTask<StageTurn> InvokeAsync(ActiveRun run, int stage, TaskCommand command, FilledCommand filled)
    {
        var special = specials.Find(filled.Method);
        var timeout = special is null ? command.MaxTimeout : null;
        var limit = timeout is { } most ? new StageTimeout(most, clock, offload, run, stage) : null;
        var token = limit?.Token ?? run.Stop.Token;
        (run.Method, run.StageTimeout) = (filled.Method, timeout);
        run.Call.Begin(stage);

        // A stop sets its reason before it looks for a call, so at least one of the two sees the other.
        if (run.Stop.Reason != StopReason.None || token.IsCancellationRequested)
        {
            limit?.Dispose();
            return ValueTask.FromResult(run.Call.TryEnd() ? DescribeStop(run) : StageTurn.Abandoned.Instance);
        }

        var context = new StageContext(run.Task, filled.Method)
        {
            Stage = stage,
            Results = run.Data.Results,
            Logger = _logger,
            SerializerOptions = _serializing,
        };
        return special is null
            ? EndAsync(run, CallHandlerAsync(context, filled, token), limit, token)
            : EndAsync(run, CallSpecialAsync(special, filled, command, context, token), limit, token);
    }

    private ValueTask<StageTurn> EndAsync(
        ActiveRun run, ValueTask<StageOutcome> work, StageTimeout? limit, CancellationToken token) =>
        run.Call.TryEnd(work)
            ? AwaitAsync(run, work, limit, token)
            : ValueTask.FromResult<StageTurn>(StageTurn.Abandoned.Instance);

    /// <summary>Awaits the handler's pending work, at most until its token is cancelled.</summary>
    private async ValueTask<StageTurn> AwaitAsync(
        ActiveRun run, ValueTask<StageOutcome> work, StageTimeout? limit, CancellationToken token)
    {
        var pending = work.IsCompleted ? null : work.AsTask();
        try
        {
            var outcome = pending is null ? work : new ValueTask<StageOutcome>(pending.WaitAsync(token));
            return new StageTurn.Ended(await outcome.ConfigureAwait(false));
        }
        catch (Exception) when (token.IsCancellationRequested)
        {
            // The exception does not matter: the handler was cancelled, and the reason of the stop counts.
            run.Call.Leftover = pending ?? Task.CompletedTask;
            return DescribeStop(run);
        }
        catch (Exception e) when (end.IsCauseOf(e))
        {
            // Treated as if the stop had come first: the stage is not reported, and its task is released.
            run.Stop.Request(StopReason.Stopping);
            return StageTurn.Stopped.Instance;
        }
        catch (Exception e)
        {
            // The only place that handles the exceptions of handlers.
            return new StageTurn.Ended(FailureOf(run, e), e);
        }
        finally
        {
            limit?.Dispose();
        }
    }

    private async ValueTask<StageOutcome> CallHandlerAsync(
        StageContext context, FilledCommand filled, CancellationToken cancellationToken)
    {
        if (catalog.Find(filled.Method) is not { } handler)
        {
            return MissCommand(filled.Method);
        }

        using var logScope = Log.BeginStage(_logger, context.TaskId, context.JobId, context.Stage, context.Method);
        var scope = new StageScope(scopes);
        await using (scope.ConfigureAwait(false))
        {
            var outcome = await StageMiddleware
                .InvokeAsync(_middlewares, scope, context, handler, filled.Params, cancellationToken)
                .ConfigureAwait(false);
            return Check(outcome, filled.Method);
        }
    }

    /// <summary>
    /// The outcome of a stage whose command is unknown. No executor can know one with an invalid name.
    /// </summary>
    private StageOutcome MissCommand(string method)
    {
        if (options.UnknownCommands == UnknownCommands.Wait && CommandName.FindFault(method) is null)
        {
            return StageOutcome.PutBack(method);
        }

        var registered = string.Join(", ", catalog.Methods);
        return StageOutcome.Failed(Error(
            TaskErrorKind.UnknownCommand,
            $"The command \"{method}\" is not registered with this executor. Registered commands: {registered}."));
    }

    private async ValueTask<StageOutcome> CallSpecialAsync(
        SpecialCommand special,
        FilledCommand filled,
        TaskCommand command,
        StageContext stage,
        CancellationToken cancellationToken)
    {
        using var logScope = Log.BeginStage(_logger, stage.TaskId, stage.JobId, stage.Stage, stage.Method);
        var context = new SpecialCommandContext
        {
            Stage = stage,
            Params = filled.Params,
            MaxTimeout = command.MaxTimeout,
            Limits = _limits,
        };
        return Check(await special.RunAsync(context, cancellationToken).ConfigureAwait(false), special.Method);
    }

    /// <summary>Returns the outcome in a form that can be stored; a failure if it is invalid.</summary>
    private StageOutcome Check(StageOutcome? outcome, string method) => outcome switch
    {
        null => throw new InvalidOperationException($"The command {method} returned no outcome."),
        StageOutcome.Done done when FindFault(done.Result) is { } fault =>
            StageOutcome.Failed(Error(TaskErrorKind.Result, ResultWriter.Explain(method, fault))),
        StageOutcome.Done { IsOwned: false } done => StageOutcome.Completed(done.Result.Clone()),
        StageOutcome.Failure failure => StageOutcome.Failed(
            MakeStorable(failure.Error), failure.ExitCode, failure.IsFinal, Shortened(failure.RetryAfter)),
        StageOutcome.Wait { Duration: { } duration } when duration <= TimeSpan.Zero || duration > _limits.MaxWait =>
            StageOutcome.Failed(Error(
                TaskErrorKind.Params,
                $"{method} asks to wait for {duration}; it must be more than 0 and at most {_limits.MaxWait}.")),
        _ => outcome,
    };

    // The fault of a result is stored with the task, so it names kind and length without values.
    private string? FindFault(JsonElement result)
    {
        const string Place = "result";
        try
        {
            return result.ValueKind == JsonValueKind.Undefined ? null
                : StorableJson.FindFault(
                    JsonText.Raw(result), _limits.MaxResultBytes, _limits.MaxJsonDepth, Place, showsValues: false);
        }
        catch (ObjectDisposedException)
        {
            return JsonInput.Disposed(Place);
        }
    }

    private StageOutcome FailureOf(ActiveRun run, Exception e) => e switch
    {
        ParamsBindingException => StageOutcome.Failed(Error(TaskErrorKind.Params, e.Message)),
        ResultWritingException => StageOutcome.Failed(Error(TaskErrorKind.Result, e.Message)),
        _ when StageFailedException.Find(e) is { } failed => StageOutcome.Failed(
            Error(
                TaskErrorKind.Handler,
                failed.Message,
                TypeOf(failed),
                DetailsOf(e),
                WriteData(run, failed)),
            isFinal: failed.IsFinal,
            retryAfter: Shortened(failed.RetryAfter)),
        _ => StageOutcome.Failed(Error(
            TaskErrorKind.Handler, Read(e, static e => e.Message) ?? "", e.GetType().FullName, DetailsOf(e))),
    };

    private static string TypeOf(StageFailedException failed) => failed.Type ?? typeof(StageFailedException).FullName!;

    private string? DetailsOf(Exception e) => options.StackTraces ? Read(e, static e => e.ToString()) : null;

    private TimeSpan? Shortened(TimeSpan? delay) => delay > _limits.MaxWait ? _limits.MaxWait : delay;

    /// <summary>Writes the data of a failure; undefined, with a warning, if it cannot be stored.</summary>
    private JsonElement WriteData(ActiveRun run, StageFailedException failed)
    {
        const string Place = "data";
        try
        {
            var data = failed.DataInput.Owned(_serializing, Place);
            var fault = data.ValueKind == JsonValueKind.Undefined ? null
                : StorableJson.FindFault(
                    JsonText.Raw(data), _limits.MaxErrorBytes, _limits.MaxJsonDepth - 1, Place, showsValues: false)
                ?? (TaskError.Fits(data, TaskErrorKind.Handler, TypeOf(failed), _limits.MaxErrorBytes) ? null
                    : $"{Place} does not fit into an error of {_limits.MaxErrorBytes} bytes.");
            if (fault is null)
            {
                return data;
            }

            Log.FailureDataDropped(_logger, null, run.Task.Id, run.Call.Stage, run.Method, fault);
        }
        catch (UnwritableException e)
        {
            Log.FailureDataDropped(_logger, e.InnerException, run.Task.Id, run.Call.Stage, run.Method, e.Shape);
        }

        return default;
    }

    // The members of an exception are users' code too, and may throw.
    private static string? Read(Exception thrown, Func<Exception, string?> member)
    {
        try
        {
            return member(thrown);
        }
        catch (Exception e)
        {
            return $"(reading the exception failed: {e.GetType().FullName})";
        }
    }

    /// <summary>Returns a special command's error in a form that can be stored.</summary>
    private TaskError MakeStorable(TaskError error) =>
        StorableJson.IsStorable(JsonText.Raw(error.Json), _limits.MaxErrorBytes, _limits.MaxJsonDepth)
            ? error
            : Error(error.Kind, error.Message, error.Type, error.Details, StorableData(error.Data));

    private JsonElement StorableData(JsonElement data) =>
        data.ValueKind != JsonValueKind.Undefined
        && StorableJson.IsStorable(JsonText.Raw(data), _limits.MaxErrorBytes, _limits.MaxJsonDepth - 1)
            ? data
            : default;

    private TaskError Error(
        string kind, string message, string? type = null, string? details = null, JsonElement data = default) =>
        TaskError.Create(kind, message, type, details, _limits.MaxErrorBytes, data);
}
