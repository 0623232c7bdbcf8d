using System.Text.Json;
using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Diagnostics;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Turns what a handler returns or throws into an outcome that every store can record: within the host's limits, and
/// without values of the task in messages.
/// </summary>
internal sealed class StorableOutcomes(KaijuTasksOptions options, ILogger guarded)
{
    private readonly TaskLimits _limits = options.Limits;

    /// <summary>Returns the outcome in a form that can be stored; a failure if it is invalid.</summary>
    public StageOutcome Check(StageOutcome? outcome, string method) => outcome switch
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
        StageOutcome.Unknown unknown when CommandName.FindFault(unknown.Method) is { } fault =>
            StageOutcome.Failed(Error(
                TaskErrorKind.UnknownCommand, $"{method} puts its task back under a name that {fault}")),
        _ => outcome,
    };

    /// <summary>The failure of a stage whose handler has thrown.</summary>
    public StageOutcome Of(ActiveRun run, Exception thrown) => thrown switch
    {
        ParamsBindingException => StageOutcome.Failed(Error(TaskErrorKind.Params, thrown.Message)),
        ResultWritingException => StageOutcome.Failed(Error(TaskErrorKind.Result, thrown.Message)),
        _ when StageFailedException.Find(thrown) is { } failed => StageOutcome.Failed(
            Error(TaskErrorKind.Handler, failed.Message, TypeOf(failed), DetailsOf(thrown), WriteData(run, failed)),
            isFinal: failed.IsFinal,
            retryAfter: Shortened(failed.RetryAfter)),
        _ => StageOutcome.Failed(Error(
            TaskErrorKind.Handler,
            Read(thrown, static e => e.Message) ?? "",
            thrown.GetType().FullName,
            DetailsOf(thrown))),
    };

    public TaskError Error(
        string kind, string message, string? type = null, string? details = null, JsonElement data = default) =>
        TaskError.Create(kind, message, type, details, _limits.MaxErrorBytes, data);

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

    private static string TypeOf(StageFailedException failed) => failed.Type ?? typeof(StageFailedException).FullName!;

    private string? DetailsOf(Exception thrown) =>
        options.StackTraces ? Read(thrown, static e => e.ToString()) : null;

    private TimeSpan? Shortened(TimeSpan? delay) => delay > _limits.MaxWait ? _limits.MaxWait : delay;

    /// <summary>Writes the data of a failure; undefined, with a warning, if it cannot be stored.</summary>
    private JsonElement WriteData(ActiveRun run, StageFailedException failed)
    {
        const string Place = "data";
        try
        {
            var data = failed.DataInput.Owned(options.SerializerOptions, Place);
            var fault = data.ValueKind == JsonValueKind.Undefined ? null
                : StorableJson.FindFault(
                    JsonText.Raw(data), _limits.MaxErrorBytes, _limits.MaxJsonDepth - 1, Place, showsValues: false)
                ?? (TaskError.Fits(data, TaskErrorKind.Handler, TypeOf(failed), _limits.MaxErrorBytes) ? null
                    : $"{Place} does not fit into an error of {_limits.MaxErrorBytes} bytes.");
            if (fault is null)
            {
                return data;
            }

            Log.FailureDataDropped(guarded, null, run.Task.Id, run.Call.Stage, run.Method, fault);
        }
        catch (UnwritableException e)
        {
            Log.FailureDataDropped(guarded, e.InnerException, run.Task.Id, run.Call.Stage, run.Method, e.Shape);
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

    /// <summary>Returns a returned error in a form that can be stored.</summary>
    private TaskError MakeStorable(TaskError error) =>
        StorableJson.IsStorable(JsonText.Raw(error.Json), _limits.MaxErrorBytes, _limits.MaxJsonDepth)
            ? error
            : Error(error.Kind, error.Message, error.Type, error.Details, StorableData(error.Data));

    private JsonElement StorableData(JsonElement data) =>
        data.ValueKind != JsonValueKind.Undefined
        && StorableJson.IsStorable(JsonText.Raw(data), _limits.MaxErrorBytes, _limits.MaxJsonDepth - 1)
            ? data
            : default;
}
