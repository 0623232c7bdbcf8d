using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// The tasks in sequences: few ids, so that steps affect each other, and one shape for each feature of a definition.
/// </summary>
internal static class ModelDefinitions
{
    public static readonly DateTimeOffset Start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    public static readonly IReadOnlyList<string> Ids = ["a", "b", "c", "d", "e"];

    /// <summary>The methods that pauses and put-backs name.</summary>
    public static readonly IReadOnlyList<string> Methods = ["do", "odd", "new"];

    private static readonly string[] _known = [TimerCommand.MethodName, MessageCommand.MethodName, "do"];

    /// <summary>The executors. Each lacks a command of another, and one announces none.</summary>
    public static readonly IReadOnlyList<ExecutorInfo> Executors =
    [
        new()
        {
            Id = "executor-0",
            AppName = "default",
            Apps = ["default"],
            Capacity = 10,
            Commands = [.. _known, "new"],
        },
        new()
        {
            Id = "executor-1",
            AppName = "default",
            Apps = ["default", "other"],
            Capacity = 10,
            Commands = [.. _known, "odd", "more"],
        },
        new() { Id = "executor-2", AppName = "other", Apps = ["other"], Capacity = 10 },
    ];

    public static readonly TaskError Boom = TaskError.Create(TaskErrorKind.Handler, "boom", "System.Exception", "at …");

    public static readonly TaskError BoomWithData = TaskError.Create(
        TaskErrorKind.Handler, "boom", "declined", data: Json.Of("""{"code":[402,null]}"""));

    private static readonly MessageCommand _messageInAMinute = new() { MaxTimeout = TimeSpan.FromMinutes(1) };

    private static readonly (string Name, TaskDefinition Definition)[] _shapes =
    [
        ("one stage", Of(1)),
        ("two stages, notify", Of(2) with { Notify = true, UserId = "user-0", Group = "g" }),
        ("three stages, 2 retries at once", Retried(3, 2, 0) with { Notify = true }),
        (
            "two stages, 1 retry from the first after 5 s, priority 5",
            Retried(2, 1, 5) with { RestartPolicy = RestartPolicy.First, Priority = 5 }),
        (
            "three stages, 3 retries from the first at once",
            Retried(3, 3, 0) with { RestartPolicy = RestartPolicy.First, Notify = true, UserId = "user-1" }),
        ("two stages, 3 retries with the host's delays", Of(2) with { MaxRetries = 3, Group = "g", GroupId = "g-0" }),
        ("every minute, notify", Of(1) with { Cron = "* * * * *", Notify = true, UserId = "user-0" }),
        (
            "every minute, two stages, 1 retry, then a",
            Of(2) with { Cron = "* * * * *", MaxRetries = 1, NextTask = "a", Group = "g" }),
        (
            "every minute, never late",
            Of(1) with { Cron = "* * * * *", MissedRuns = MissedRuns.Skip, Group = "g" }),
        ("every minute, for the latest", Of(1) with { Cron = "* * * * *", MissedRuns = MissedRuns.RunLatest }),
        ("then a", Of(1) with { NextTask = "a" }),
        (
            "two stages, then b, notify",
            Of(2) with { NextTask = "b", Notify = true, UserId = "user-1", GroupId = "g-0" }),
        ("then c", Of(1) with { NextTask = "c" }),
        ("then itself, notify", Of(1) with { NextTask = "itself", Notify = true }),
        ("then a missing task", Of(1) with { NextTask = "missing" }),
        ("disabled", Of(1) with { Enabled = false }),
        ("in a minute", Of(1) with { RunAt = Start.AddMinutes(1) }),
        ("on demand", Of(2) with { RunAt = TaskDefinition.OnDemand, System = true }),
        (
            "timer, message, work",
            Of(1) with { Commands = [new TimerCommand(TimeSpan.FromSeconds(5)), _messageInAMinute, new("do")] }),
        (
            "message, timer, then itself",
            Of(1) with
            {
                Commands = [new MessageCommand(), new TimerCommand(TimeSpan.FromSeconds(1))],
                NextTask = "itself",
            }),
        (
            "other app, large, low",
            Of(2) with
            {
                AppName = "other",
                KwsJson = Json.Of($"{{\"text\":\"{new string('x', 1000)}\"}}"),
                Priority = -1,
            }),
        ("10 s at most, 2 retries", Retried(2, 2, 1) with { MaxExecTimeout = TimeSpan.FromSeconds(10), Notify = true }),
        ("odd, other app", Of(1) with { Commands = [new("odd")], AppName = "other" }),
        ("odd", Of(1) with { Commands = [new("odd")] }),
        ("do, then odd, 1 retry at once, priority 1", Retried(2, 1, 0) with
        {
            Commands = [new("do"), new("odd")],
            Priority = 1,
        }),
        ("two stages, 1 retry; the first has 2 of its own after 2 s", Retried(2, 1, 0) with
        {
            Commands = [new("do") { MaxRetries = 2, RetryDelay = TimeSpan.FromSeconds(2) }, new("do")],
            Notify = true,
        }),
        ("two stages with 1 retry of their own, 1 retry from the first after 1 s", Retried(2, 1, 1) with
        {
            Commands = [
                new("do") { MaxRetries = 1, RetryDelay = TimeSpan.Zero },
                new("do") { MaxRetries = 1 }],
            RestartPolicy = RestartPolicy.First,
            MaxExecTimeout = TimeSpan.FromSeconds(10),
        }),
        ("a method of the executor with 1 retry of its own, then one with a delay alone", Of(2) with
        {
            Commands = [
                new("[executor.method]") { MaxRetries = 1 },
                new("do") { RetryDelay = TimeSpan.FromSeconds(3) }],
            MaxRetries = 1,
        }),
        (
            "a method of the executor, 1 retry at once",
            Retried(2, 1, 0) with { Commands = [new("[executor.method]"), new("do")], Notify = true }),
    ];

    // As the Python original stores them; it has no claim, no pass and no time of a retry.
    private static readonly (string Name, string Json)[] _foreign =
    [
        ("an old IDLE task", Foreign("IDLE", $$"""
            "next_run": {{Unix(45)}}
            """)),
        ("an old IDLE periodic task with a result", Foreign("IDLE", $$"""
            "cron": "* * * * *", "next_run": {{Unix(30)}}, "result": [7], "exit_code": 0, "job_id": "old-job"
            """)),
        ("an old QUEUED task", Foreign("QUEUED", $$"""
            "queued_at": {{Unix(-5)}}, "job_id": "old-job"
            """)),
        ("an old EXECUTED task", Foreign("EXECUTED", $$"""
            "queued_at": {{Unix(-5)}}, "stage": 1, "result": [7], "executor_id": "executor-old",
            "exec_deadline": {{Unix(60)}}, "job_id": "old-job"
            """)),
        ("an old SUSPENDED task", Foreign("SUSPENDED", $$"""
            "queued_at": {{Unix(-5)}}, "stage": 1, "result": [7], "job_id": "old-job"
            """)),
        ("an old task that WAITS for a message", Foreign("WAITING", $$"""
            "queued_at": {{Unix(-5)}}, "stage": 1, "result": [7], "job_id": "old-job"
            """)),
        ("an old task that WAITS for a time", Foreign("WAITING", $$"""
            "queued_at": {{Unix(-5)}}, "stage": 0, "wait_deadline": {{Unix(20)}}, "job_id": "old-job"
            """)),
        ("an old FINISHED task", Foreign("FINISHED", """
            "stage": 1, "result": [7, 8], "exit_code": 0, "job_id": "old-job"
            """)),
        ("an old FAILED task with a retry left", Foreign("FAILED", $$"""
            "max_retries": 1, "queued_at": {{Unix(-5)}}, "stage": 1, "result": [7], "exit_code": 1, "error": "boom",
            "job_id": "old-job"
            """)),
        ("an old FAILED periodic task", Foreign("FAILED", $$"""
            "cron": "* * * * *", "queued_at": {{Unix(-5)}}, "exit_code": 130, "error": {"a": 1}, "job_id": "old-job"
            """)),
        ("an old disabled EXECUTED task", Foreign("EXECUTED", """
            "enabled": false, "executor_id": "executor-0", "job_id": "old-job"
            """)),
    ];

    // The changes that an update makes to a definition. A definition that was filled in stays so.
    private static readonly (string Name, Func<TaskDefinition, TaskDefinition> Change)[] _changes =
    [
        ("nothing", task => task),
        ("enabled toggled", task => task with { Enabled = !task.Enabled }),
        ("every minute toggled", task => task with { Cron = task.Cron is null ? "* * * * *" : null }),
        ("every two minutes", task => task with { Cron = "*/2 * * * *" }),
        ("priority", task => task with { Priority = task.Priority + 1 }),
        (
            "one retry more",
            task => task with
            {
                MaxRetries = Math.Min(10, (task.MaxRetries ?? 0) + 1),
                RestartPolicy = RestartPolicy.First,
                RetryDelay = null,
            }),
        ("then itself", task => task with { NextTask = task.Id }),
        ("notify toggled, user", task => task with { Notify = !task.Notify, UserId = "user-1" }),
        ("group", task => task with { Group = task.Group is null ? "g" : null, GroupId = "g-1" }),
        ("10 s at most", task => task with { MaxExecTimeout = TimeSpan.FromSeconds(10) }),
        ("in two minutes", task => task with { RunAt = Start.AddMinutes(2) }),
        ("on demand", task => task with { RunAt = TaskDefinition.OnDemand }),
        ("at once", task => task with { RunAt = null }),
        ("other app", task => task with { AppName = "other" }),
        (
            "one retry more for the first command",
            task => task with
            {
                Commands = [
                    task.Commands[0] with { MaxRetries = Math.Min(10, (task.Commands[0].MaxRetries ?? 0) + 1) },
                    .. task.Commands.Skip(1)],
            }),
        ("one command more", task => task with { Commands = [.. task.Commands.Take(3), new("more")] }),
        ("kws", task => task with { KwsJson = Json.Of("{\"a\":1}") }),
    ];

    private static readonly TaskDefinition[] _prepared = [
        .. _shapes.SelectMany(shape => Ids.Select(id => Checked.Definition(shape.Definition with
    {
        Id = id,
        NextTask = shape.Definition.NextTask == "itself" ? id : shape.Definition.NextTask,
    })))];

    private static readonly TaskRecord[] _imported = [
        .. _foreign.SelectMany(task => Ids.Select(id => Import(TaskRecord.FromJson(task.Json), id)))];

    public static IReadOnlyList<string> Names { get; } = [.. _shapes.Select(shape => shape.Name)];

    public static IReadOnlyList<string> ForeignNames { get; } = [.. _foreign.Select(task => task.Name)];

    public static IReadOnlyList<string> ChangeNames { get; } = [
        .. _changes.Select(change => change.Name), "another shape"];

    /// <summary>Applies an update's change to a definition.</summary>
    public static TaskDefinition Changed(TaskDefinition definition, int change, int id) =>
        change < _changes.Length ? _changes[change].Change(definition) : Prepared(2, id);

    public static TaskDefinition Prepared(int shape, int id) => _prepared[(shape * Ids.Count) + id];

    public static TaskRecord PreparedForeign(int task, int id) => _imported[(task * Ids.Count) + id];

    /// <summary>A stored task, prepared for an import under an id.</summary>
    public static TaskRecord Import(TaskRecord task, string id) =>
        Checked.Import(task with { Definition = task.Definition with { Id = id } });

    private static TaskDefinition Of(int stages) =>
        new() { Commands = [.. Enumerable.Range(0, stages).Select(_ => new TaskCommand("do"))] };

    private static TaskDefinition Retried(int stages, int retries, int afterSeconds) =>
        Of(stages) with { MaxRetries = retries, RetryDelay = TimeSpan.FromSeconds(afterSeconds) };

    private static long Unix(int seconds) => Start.AddSeconds(seconds).ToUnixTimeSeconds();

    private static string Foreign(string status, string members) =>
        $$"""
        {
            "id": "old", "app_name": "default", "notify": true,
            "commands": [{ "method": "do" }, { "method": "_MESSAGE_", "max_timeout": 30 }],
            "created": {{Unix(-3600)}}, "status_change": {{Unix(-5)}}, "status": "{{status}}", {{members}}
        }
        """;
}
