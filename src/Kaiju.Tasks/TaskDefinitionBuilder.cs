using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks;

/// <summary>
/// Writes a <see cref="TaskDefinition"/> in the order in which it happens, for tasks that read better so. The same as
/// the record; what is wrong is said when the task is created.
/// <code>
/// TaskDefinitionBuilder.Create("order-42")
///     .Run("orders.load", new { id = 42 })
///     .WaitForMessage(TimeSpan.FromDays(3))
///     .Run("billing.charge", new { order = "[0]" }, when: TaskCondition.Where("1.approved").EqualTo(true))
///     .Retry(3, TimeSpan.FromSeconds(10))
///     .Build();
/// </code>
/// </summary>
public sealed class TaskDefinitionBuilder
{
    private readonly List<TaskCommand> _commands = [];
    private TaskDefinition _definition;

    private TaskDefinitionBuilder(string? id) => _definition = new TaskDefinition { Id = id, Commands = [] };

    /// <summary>Begins a task.</summary>
    /// <param name="id">Its id; null: one is made.</param>
    public static TaskDefinitionBuilder Create(string? id = null) => new(id);

    /// <summary>The next stage calls a command.</summary>
    /// <param name="method">The name under which it is registered.</param>
    /// <param name="parameters">Its params as JSON; undefined for none.</param>
    /// <param name="when">Skips the stage unless this holds.</param>
    /// <param name="timeout">How long the stage may take.</param>
    public TaskDefinitionBuilder Run(
        string method, JsonElement parameters = default, TaskCondition? when = null, TimeSpan? timeout = null) =>
        Add(new TaskCommand(method, parameters) { Condition = when, MaxTimeout = timeout });

    /// <summary>The next stage calls a command.</summary>
    /// <param name="method">The name under which it is registered.</param>
    /// <param name="parameters">Its params as an object of yours.</param>
    /// <param name="when">Skips the stage unless this holds.</param>
    /// <param name="timeout">How long the stage may take.</param>
    [RequiresUnreferencedCode(TrimmingNotice.Message)]
    [RequiresDynamicCode(TrimmingNotice.Message)]
    public TaskDefinitionBuilder Run(
        string method, object parameters, TaskCondition? when = null, TimeSpan? timeout = null) =>
        Add(new TaskCommand(method, parameters) { Condition = when, MaxTimeout = timeout });

    /// <summary>The next stage waits, without holding a worker.</summary>
    /// <param name="duration">How long.</param>
    /// <param name="when">Skips the wait unless this holds.</param>
    public TaskDefinitionBuilder WaitFor(TimeSpan duration, TaskCondition? when = null) =>
        Add(new TimerCommand(duration) { Condition = when });

    /// <summary>The next stage waits for a message, without holding a worker.</summary>
    /// <param name="timeout">How long at most; null: as long as it takes.</param>
    /// <param name="when">Skips the wait unless this holds.</param>
    public TaskDefinitionBuilder WaitForMessage(TimeSpan? timeout = null, TaskCondition? when = null) =>
        Add(new MessageCommand { MaxTimeout = timeout, Condition = when });

    /// <summary>A failed run is tried again.</summary>
    /// <param name="times">How often.</param>
    /// <param name="delay">The time before each retry; null: what the host's options say.</param>
    /// <param name="from">Where a retry begins.</param>
    public TaskDefinitionBuilder Retry(int times, TimeSpan? delay = null, RestartPolicy from = RestartPolicy.Current) =>
        With(definition => definition with { MaxRetries = times, RetryDelay = delay, RestartPolicy = from });

    /// <summary>It runs again and again.</summary>
    /// <param name="cron">When.</param>
    /// <param name="timeZone">The IANA time zone; null: UTC.</param>
    public TaskDefinitionBuilder Every(string cron, string? timeZone = null) =>
        With(definition => definition with { Cron = cron, CronTimeZone = timeZone });

    /// <summary>When it has finished, another task is started.</summary>
    /// <param name="nextTask">The other's id.</param>
    public TaskDefinitionBuilder Then(string nextTask) => With(definition => definition with { NextTask = nextTask });

    /// <summary>Anything else that a definition has.</summary>
    /// <param name="change">Makes one definition of another.</param>
    public TaskDefinitionBuilder With(Func<TaskDefinition, TaskDefinition> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _definition = change(_definition);
        return this;
    }

    /// <summary>The definition so far.</summary>
    public TaskDefinition Build() => _definition with { Commands = [.. _definition.Commands, .. _commands] };

    private TaskDefinitionBuilder Add(TaskCommand command)
    {
        _commands.Add(command);
        return this;
    }
}
