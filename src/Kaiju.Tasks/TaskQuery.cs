using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>Selects tasks. Each member that is set narrows the selection; the default selects all tasks.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskQuery
{
    /// <summary>Tasks in this state. Default: null, for any.</summary>
    public TaskState? State { get; init; }

    /// <summary>
    /// Tasks in one of these states. Default: null, for any. Set either <see cref="State"/> or <see cref="States"/>.
    /// </summary>
    public IReadOnlyCollection<TaskState>? States { get; init; }

    /// <summary>
    /// True: tasks whose run has ended for good (FINISHED, or FAILED without a retry to come). False: all others; with
    /// <see cref="TaskState.Failed"/>, those that will be retried. Default: null, for both.
    /// </summary>
    public bool? IsFinal { get; init; }

    /// <summary>
    /// True: tasks that are enabled. False: tasks that are disabled. Default: null, for both.
    /// </summary>
    public bool? IsEnabled { get; init; }

    /// <summary>
    /// Tasks whose present stage has this method, compared with the definition: a template counts as it is written.
    /// Default: null, for any.
    /// </summary>
    public string? Method { get; init; }

    /// <summary>Tasks of this app. Default: null, for any.</summary>
    public string? AppName { get; init; }

    /// <summary>Tasks of this group. Default: null, for any.</summary>
    public string? Group { get; init; }

    /// <summary>Tasks of this group id. Default: null, for any.</summary>
    public string? GroupId { get; init; }

    /// <summary>Tasks of this user. Default: null, for any.</summary>
    public string? UserId { get; init; }

    /// <summary>True: tasks with a cron. False: tasks without. Default: null, for both.</summary>
    public bool? IsPeriodic { get; init; }

    /// <summary>Tasks whose id begins with this text. Default: null, for any.</summary>
    public string? IdPrefix { get; init; }

    /// <summary>Tasks created at this time or later. Default: null, for no limit.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Tasks created before this time. Default: null, for no limit.</summary>
    public DateTimeOffset? CreatedTo { get; init; }

    /// <summary>True: the newest first. Default: false, the oldest first.</summary>
    public bool NewestFirst { get; init; }

    /// <summary>The states that the query selects; null for any.</summary>
    internal IReadOnlyCollection<TaskState>? AnyOf => State is { } state ? [state] : States;

    /// <summary>True if no member narrows the selection.</summary>
    internal bool SelectsAll => AnyOf is null && IsFinal is null && IsEnabled is null && Method is null
        && AppName is null && Group is null && GroupId is null && UserId is null && IsPeriodic is null
        && string.IsNullOrEmpty(IdPrefix) && CreatedFrom is null && CreatedTo is null;

    /// <summary>Returns the query if it is valid.</summary>
    /// <exception cref="ArgumentException">A member is invalid.</exception>
    internal TaskQuery Checked()
    {
        if (State is not null && States is not null)
        {
            throw new ArgumentException("The query has both State and States; set one of them.", "query");
        }

        foreach (var state in AnyOf ?? [])
        {
            if (!Enum.IsDefined(state))
            {
                throw new ArgumentException(
                    $"The query has the state {(int)state}; it must be one of {WireNames<TaskState>.All}.", "query");
            }
        }

        return this;
    }
}
