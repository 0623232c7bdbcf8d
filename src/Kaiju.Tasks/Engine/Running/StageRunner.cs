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

    /// <summary>The stage's outcome; null if the run must stop and nothing may be said of the stage, or has gone on without it (<see cref="ActiveRun.IsLeft"/>).</summary>
    public ValueTask<StageOutcome?> RunAsync(ActiveRun run, int stage)
    {
        var command = run.Task.Commands[stage - run.Task.Stage];
        (run.Method, run.Cause) = (command.Method, null);
        try
        {
            if (CompiledCommand.IsConstant(command))
            {
                return InvokeAsync(run, stage, command, new FilledCommand(command.Method, command.ParamsJson, default));
            }

            var data = TemplateData.Environment(run.Environment);
            var budget = new TemplateBudget(_limits.MaxTemplateSteps, _limits.MaxParamsBytes, _limits.MaxJsonDepth, _sources);
            var filled = CompiledCommand.Of(command).Fill(data, budget);
            return CommandCondition.ShouldRun(filled.Condition, data, budget, "condition")
                ? InvokeAsync(run, stage, command, filled)
                : ValueTask.FromResult<StageOutcome?>(StageOutcome.Completed());
        }
        catch (TemplateException e)
        {
            run.Cause = e;
            var kind = e.Place.StartsWith("condition", StringComparison.Ordinal) ? TaskErrorKind.Condition : TaskErrorKind.Template;
            return ValueTask.FromResult<StageOutcome?>(StageOutcome.Failed(Error(kind, e.Message, e.Kind)));
        }
    }

    /// <summary>What a stop makes of the stage that is running; null if nothing may be said of it.</summary>
    public StageOutcome? OutcomeOfStop(ActiveRun run) => run.Reason switch
    {
        StopReason.Superseded or StopReason.Stopping => null,
        StopReason.Deadline => StageOutcome.Failed(
            Error(TaskErrorKind.Timeout, $"The run missed its deadline at stage {run.Stage}: max_exec_timeout was over."), TaskExitCode.Aborted),
        _ => StageOutcome.Failed(Error(TaskErrorKind.StageTimeout, $"The stage took longer than its max_timeout of {run.StageTimeout!.Value.TotalSeconds} s.")),
    };

    /// <summary>
    /// Calls the handler on this thread: most are done, or await something, before a hand-over to another thread would be. One that
    /// keeps the thread beyond its time is left behind by whoever stops it, and the run goes on elsewhere.
    /// </summary>
    private ValueTask<StageOutcome?> InvokeAsync(ActiveRun run, int stage, TaskCommand command, FilledCommand filled)
    {
        run.Method = filled.Method;
        var special = specials.Find(filled.Method);
        var timeout = special is null ? command.MaxTimeout : null;
        var limit = timeout is { } most ? new StageTimeout(most, clock, offload, run, stage) : null;
        var token = limit?.Token ?? run.Token;
        if (!run.BeginCall(stage, timeout, token))
        {
            limit?.Dispose();
            return ValueTask.FromResult(OutcomeOfStop(run));
        }

        var context = new StageContext(run.Task, stage, filled.Method, run.Results, _serializing, _logger);
        var work = special is null
            ? CallHandlerAsync(context, filled, token)
            : CallSpecialAsync(special, new SpecialCommandContext(context, filled.Params, command.MaxTimeout, _limits), token);
        return run.EndCall(work) ? EndAsync(run, work, limit, token) : ValueTask.FromResult<StageOutcome?>(null);
    }

    private async ValueTask<StageOutcome?> EndAsync(ActiveRun run, Task<StageOutcome> work, StageTimeout? limit, CancellationToken token)
    {
        try
        {
            return await (work.IsCompleted ? work : work.WaitAsync(token)).ConfigureAwait(false);
        }
        catch (Exception) when (token.IsCancellationRequested)
        {
            // Whatever it threw: it had been told to stop, and what counts is why.
            run.Leftover = work;
            return OutcomeOfStop(run);
        }
        catch (Exception e) when (end.IsCauseOf(e))
        {
            // As if the stop had reached it first: nothing is said of the stage, and its task is given back.
            run.Stop(StopReason.Stopping);
            return null;
        }
        catch (Exception e)
        {
            // The one place where a user's exception ends.
            run.Cause = e;
            return StageOutcome.Failed(Describe(e));
        }
        finally
        {
            limit?.Dispose();
        }
    }

    private async Task<StageOutcome> CallHandlerAsync(StageContext context, FilledCommand filled, CancellationToken cancellationToken)
    {
        if (catalog.Find(filled.Method) is not { } handler)
        {
            return StageOutcome.Failed(Error(
                TaskErrorKind.UnknownCommand,
                $"No command \"{filled.Method}\" is registered with this executor. Registered are: {string.Join(", ", catalog.Methods)}."));
        }

        using var logScope = Log.BeginStage(_logger, context.TaskId, context.JobId, context.Stage, context.Method);
        var scope = new StageScope(scopes);
        await using (scope.ConfigureAwait(false))
        {
            var result = await StageMiddleware.InvokeAsync(_middlewares, scope, context, handler, filled.Params, cancellationToken).ConfigureAwait(false);
            return FindFault(result) is { } fault
                ? StageOutcome.Failed(Error(TaskErrorKind.Result, ResultWriter.Explain(filled.Method, fault)))
                : StageOutcome.Completed(JsonText.Owned(result));
        }
    }

    private async Task<StageOutcome> CallSpecialAsync(SpecialCommand special, SpecialCommandContext context, CancellationToken cancellationToken)
    {
        using var logScope = Log.BeginStage(_logger, context.Stage.TaskId, context.Stage.JobId, context.Stage.Stage, context.Stage.Method);
        var outcome = await special.RunAsync(context, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"The special command {special.Method} returned no outcome.");
        return outcome switch
        {
            StageOutcome.Done done when FindFault(done.Result) is { } fault =>
                StageOutcome.Failed(Error(TaskErrorKind.Result, ResultWriter.Explain(special.Method, fault))),
            StageOutcome.Failure failure => StageOutcome.Failed(Storable(failure.Error), failure.ExitCode),
            StageOutcome.Done done => StageOutcome.Completed(done.Result.Clone()),
            StageOutcome.Wait { Duration: { } duration } when duration <= TimeSpan.Zero || duration > _limits.MaxWait =>
                StageOutcome.Failed(Error(TaskErrorKind.Params, $"{special.Method} asks to wait for {duration}; it must be more than 0 and at most {_limits.MaxWait}.")),
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
                : JsonText.FindFault(
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
        _ => Error(TaskErrorKind.Handler, Ask(() => e.Message) ?? "", e.GetType().FullName, options.StackTraces ? Ask(e.ToString) : null),
    };

    // These two are the user's code as well.
    private static string? Ask(Func<string?> member)
    {
        try
        {
            return member();
        }
        catch (Exception e)
        {
            return $"(the exception does not say: {e.GetType().FullName})";
        }
    }

    /// <summary>An error of a special command's own making, as it may be stored.</summary>
    private TaskError Storable(TaskError error) =>
        JsonText.IsStorable(JsonText.Raw(error.Json), _limits.MaxErrorBytes, _limits.MaxJsonDepth)
            ? error
            : Error(error.Kind, error.Message, error.Type, error.Details);

    private TaskError Error(string kind, string message, string? type = null, string? details = null) =>
        TaskError.Create(kind, message, type, details, _limits.MaxErrorBytes);
}
