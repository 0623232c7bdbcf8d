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

/// <summary>One stage, from its command to its outcome: fill, ask the condition, invoke. Writes nothing.</summary>
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

    /// <summary>Runs a stage on this thread, which the run may lose meanwhile.</summary>
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

    /// <summary>What a stop makes of the stage that is running.</summary>
    public StageTurn DescribeStop(ActiveRun run) => run.Stop.Reason switch
    {
        StopReason.Superseded or StopReason.Stopping => StageTurn.Stopped.Instance,
        StopReason.Deadline => new StageTurn.Ended(StageOutcome.Failed(
            Error(
                TaskErrorKind.Timeout,
                $"The run missed its deadline at stage {run.Call.Stage}: max_exec_timeout was over."),
            TaskExitCode.Aborted)),
        _ => new StageTurn.Ended(StageOutcome.Failed(Error(
            TaskErrorKind.StageTimeout,
            $"The stage took longer than its max_timeout of {run.StageTimeout!.Value.TotalSeconds} s."))),
    };

    /// <summary>
    /// Calls the handler on this thread: most are done, or await something, before a hand-over to another thread would
    /// be. If one keeps the thread beyond its time, the run is continued elsewhere. See docs/decisions/0007.
    /// </summary>
    private ValueTask<StageTurn> InvokeAsync(ActiveRun run, int stage, TaskCommand command, FilledCommand filled)
    {
        var special = specials.Find(filled.Method);
        var timeout = special is null ? command.MaxTimeout : null;
        var limit = timeout is { } most ? new StageTimeout(most, clock, offload, run, stage) : null;
        var token = limit?.Token ?? run.Stop.Token;
        (run.Method, run.StageTimeout) = (filled.Method, timeout);
        run.Call.Begin(stage);

        // A stop gives its reason first and looks for a call then; so one of the two sees the other.
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

    /// <summary>Awaits what the handler still does, at most until its token is cancelled.</summary>
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
            // Whatever it threw: it had been told to stop, and what counts is why.
            run.Call.Leftover = pending ?? Task.CompletedTask;
            return DescribeStop(run);
        }
        catch (Exception e) when (end.IsCauseOf(e))
        {
            // As if the stop had reached it first: nothing is said of the stage, and its task is given back.
            run.Stop.Request(StopReason.Stopping);
            return StageTurn.Stopped.Instance;
        }
        catch (Exception e)
        {
            // The one place where a user's exception ends.
            return new StageTurn.Ended(StageOutcome.Failed(Describe(e)), e);
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
            var registered = string.Join(", ", catalog.Methods);
            return StageOutcome.Failed(Error(
                TaskErrorKind.UnknownCommand,
                $"No command \"{filled.Method}\" is registered with this executor. Registered are: {registered}."));
        }

        using var logScope = Log.BeginStage(_logger, context.TaskId, context.JobId, context.Stage, context.Method);
        var scope = new StageScope(scopes);
        await using (scope.ConfigureAwait(false))
        {
            var result = await StageMiddleware
                .InvokeAsync(_middlewares, scope, context, handler, filled.Params, cancellationToken)
                .ConfigureAwait(false);
            return FindFault(result) is { } fault
                ? StageOutcome.Failed(Error(TaskErrorKind.Result, ResultWriter.Explain(filled.Method, fault)))
                : StageOutcome.Completed(JsonText.Owned(result));
        }
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
        var outcome = await special.RunAsync(context, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"The special command {special.Method} returned no outcome.");
        return outcome switch
        {
            StageOutcome.Done done when FindFault(done.Result) is { } fault =>
                StageOutcome.Failed(Error(TaskErrorKind.Result, ResultWriter.Explain(special.Method, fault))),
            StageOutcome.Failure failure => StageOutcome.Failed(MakeStorable(failure.Error), failure.ExitCode),
            StageOutcome.Done done => StageOutcome.Completed(done.Result.Clone()),
            StageOutcome.Wait { Duration: { } duration } when duration <= TimeSpan.Zero || duration > _limits.MaxWait =>
                StageOutcome.Failed(Error(
                    TaskErrorKind.Params,
                    $"{special.Method} asks to wait for {duration}; "
                    + $"it must be more than 0 and at most {_limits.MaxWait}.")),
            _ => outcome,
        };
    }

    // A result is stored with its task, and so is what is wrong with it: by kind and length.
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

    private TaskError Describe(Exception e) => e switch
    {
        ParamsBindingException => Error(TaskErrorKind.Params, e.Message),
        ResultWritingException => Error(TaskErrorKind.Result, e.Message),
        _ => Error(
            TaskErrorKind.Handler,
            Read(e, static e => e.Message) ?? "",
            e.GetType().FullName,
            options.StackTraces ? Read(e, static e => e.ToString()) : null),
    };

    // A member of an exception is the user's code as well.
    private static string? Read(Exception thrown, Func<Exception, string?> member)
    {
        try
        {
            return member(thrown);
        }
        catch (Exception e)
        {
            return $"(the exception does not say: {e.GetType().FullName})";
        }
    }

    /// <summary>An error of a special command's own making, as it may be stored.</summary>
    private TaskError MakeStorable(TaskError error) =>
        StorableJson.IsStorable(JsonText.Raw(error.Json), _limits.MaxErrorBytes, _limits.MaxJsonDepth)
            ? error
            : Error(error.Kind, error.Message, error.Type, error.Details);

    private TaskError Error(string kind, string message, string? type = null, string? details = null) =>
        TaskError.Create(kind, message, type, details, _limits.MaxErrorBytes);
}
