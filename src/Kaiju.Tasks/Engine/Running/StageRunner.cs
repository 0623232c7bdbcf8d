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
    private readonly ILogger _logger = LoggerOf(loggers);
    private readonly JsonSerializerOptions _serializing = options.SerializerOptions;
    private readonly StageMiddleware[] _middlewares = [.. middlewares];
    private readonly TaskLimits _limits = options.Limits;
    private readonly TemplateSources _sources = new(clock, RandomNumberGenerator.Fill);
    private readonly StorableOutcomes _outcomes = new(options, LoggerOf(loggers));

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
            var outcome = StageOutcome.Failed(_outcomes.Error(kind, e.Message, e.Kind));
            return ValueTask.FromResult<StageTurn>(new StageTurn.Ended(outcome, e));
        }
    }

    /// <summary>Returns the turn of the running stage after a stop.</summary>
    public StageTurn DescribeStop(ActiveRun run) => run.Stop.Reason switch
    {
        StopReason.Superseded or StopReason.Stopping => StageTurn.Stopped.Instance,
        StopReason.Deadline => new StageTurn.Ended(StageOutcome.Failed(
            _outcomes.Error(
                TaskErrorKind.Timeout,
                $"The run missed its deadline at stage {run.Call.Stage}: max_exec_timeout expired."),
            TaskExitCode.Aborted)),
        _ => new StageTurn.Ended(StageOutcome.Failed(_outcomes.Error(
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
            return new StageTurn.Ended(_outcomes.Of(run, e), e);
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
            return _outcomes.Check(outcome, filled.Method);
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
        return StageOutcome.Failed(_outcomes.Error(
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
        var outcome = await special.RunAsync(context, cancellationToken).ConfigureAwait(false);
        return _outcomes.Check(outcome, special.Method);
    }

    private static GuardedLogger<StageRunner> LoggerOf(ILoggerFactory loggers) =>
        new(loggers.CreateLogger("Kaiju.Tasks.Commands"));
}
