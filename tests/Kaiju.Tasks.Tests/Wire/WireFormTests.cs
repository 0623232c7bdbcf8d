using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Sqlite;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Wire;

/// <summary>Plain serializers and endpoints write the library's types in their wire form.</summary>
public sealed class WireFormTests
{
    private static readonly DateTimeOffset _time = new DateTimeOffset(
        2024, 6, 15, 12, 0, 30, TimeSpan.Zero).AddTicks(1234567);

    /// <summary>Public types that hold data and have no wire form, and why.</summary>
    private static readonly Dictionary<string, string> _withoutWireForm = new()
    {
        ["CronSchedule RetryDelay TaskConditionTest"] =
            "functions and builders: nothing of them is stored as such",
        ["KaijuTasksOptions KaijuTasksBuilder TaskLimits TaskRoles UnknownCommands LifecycleRules "
            + "SqliteTasksOptions SqliteDurability PostgreSqlTasksOptions"] =
            "settings: bound from configuration by their .NET names",
        ["StageContext RetryContext SpecialCommandContext SpecialCommand Done Failure Wait Unknown StageOutcome "
            + "StageOutcome`1"] =
            "between the engine and a handler, in one process",
        ["TaskEvent QueueDue Claimed Reported GivenBack Interrupted CheckOverdue NextPeriod CheckWait MessageSent "
            + "CheckRetry Retried Cancelled Chained Reset Transition TaskDeployment"] =
            "between the life cycle and a store, in one call",
        ["StageReport ReportId ReportKind ReportAnswer UnattendedWork DueDuty TaskDuty StoreWatch WatchAnswer "
            + "ImportAnswer ExecutorPing ExecutorInfo TaskMove TaskRouting HoldRepair"] =
            "between the engine and a store, in one process",
        ["HeldClaim AwaitedRun StoreHint StoreHintKinds HintNames QueuedTask ClaimRequest IdSource HintListeners"] =
            "between the engine and a store, in one process",
        ["CreateAnswer UpdateAnswer UpdateResult CountPage ConflictRule RetryChange BulkRequest BulkAnswer BulkVerb"] =
            "between the client and a store, in one process",
        ["CreateOptions"] = "holds a transaction",
        ["RetryOptions"] = "holds objects that are not written yet",
        ["RunChanges"] = "its wire form is its JSON, a member of the state",
        ["TaskHandle"] = "written by a converter of its own; it belongs to a client and cannot be read",
        ["CallContext TaskScope"] = "between the client and a store, in one process",
        ["TaskExitCode"] = "its wire form is the number",
    };

    private static readonly JsonSerializerOptions[] _options =
    [
        new(), // The serializer's defaults.
        new(JsonSerializerDefaults.Web),
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.KebabCaseUpper,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
            IncludeFields = true,
        },
        new() { Converters = { new JsonStringEnumConverter() }, NumberHandling = JsonNumberHandling.WriteAsString },
        new() { TypeInfoResolver = WireFormJson.Default }, // No reflection.
    ];

    private static readonly TaskError _error = TaskError.Create(
        TaskErrorKind.Handler, "down", "System.IO.IOException", "at …");

    private static readonly TaskDefinition _definition = new()
    {
        Id = "t",
        AppName = "app",
        KwsJson = Json.Of("""{"A": 1.50}"""),
        Cron = "@daily",
        RunAt = _time,
        MaxExecTimeout = TimeSpan.FromSeconds(90.5),
        RestartPolicy = RestartPolicy.First,
        Commands =
        [
            new("do", Json.Of("""{"X": "[kws.A]"}"""))
            {
                MaxTimeout = TimeSpan.FromSeconds(2),
                Condition = TaskCondition.Where("kws.A").GreaterThan(1),
            },
            new TimerCommand(TimeSpan.FromSeconds(1.5)),
            new MessageCommand(),
        ],
    };

    private static readonly TaskRecord _record = new()
    {
        Definition = _definition,
        Created = _time,
        Result = [Json.Of("null"), default],
        Managed = new ManagedState
        {
            State = TaskState.Failed,
            JobId = "j",
            ResultRun = "j",
            Claim = Guid.Parse("3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
            ExitCode = TaskExitCode.ExecutionError,
            Error = _error,
            Skipped = 5_000_000_000,
            RetryAt = _time,
        },
    };

    private static readonly StageEntry _failedStage = new()
    {
        JobId = "j",
        Pass = 1,
        Stage = 2,
        Attempt = 3,
        Started = _time,
        Finished = _time.AddSeconds(1),
        Error = _error,
    };

    private static readonly StageEntry _skippedStage = new()
    {
        JobId = "j",
        Pass = 1,
        Stage = 2,
        Attempt = 3,
        Started = _time,
        Finished = _time.AddSeconds(1),
        Result = Json.Of("null"),
    };

    private static readonly TaskRun _run = new()
    {
        TaskId = "t",
        JobId = "j",
        State = TaskState.Finished,
        ExitCode = TaskExitCode.Success,
        Result = [Json.Of("{}"), default],
        Chain = ChainResult.Started,
        Ended = _time,
    };

    private static readonly TaskNotification _notification =
        new()
        {
            Id = 7,
            TaskId = "t",
            JobId = "j",
            State = TaskState.Failed,
            IsFinal = false,
            Error = _error,
            Created = _time,
        };

    private static readonly ExecutorTask _executorTask =
        new()
        {
            Id = "t",
            AppName = "app",
            ExecutorId = "e",
            Claim = Guid.Empty,
            JobId = "j",
            Commands = _definition.Commands,
        };

    private static readonly (object Value, string Json)[] _values =
    [
        (_definition, _definition.ToJson()),
        (
            _definition.Commands[0],
            """
            {"method": "do", "params": {"X": "[kws.A]"}, "max_timeout": 2,
            "condition": {"schema": {"kws.A": {"gt": 1}}}}
            """),
        (
            new TaskCommand("do") { MaxRetries = 0, RetryDelay = TimeSpan.FromSeconds(1.5) },
            """
            {"method": "do", "params": null, "max_timeout": null, "condition": null, "max_retries": 0,
            "retry_delay": 1.5}
            """),
        (
            new MessageCommand { MaxRetries = 2, RetryDelay = TimeSpan.Zero },
            """
            {"method": "_MESSAGE_", "params": null, "max_timeout": null, "condition": null, "max_retries": 2,
            "retry_delay": 0}
            """),
        (
            new TimerCommand(TimeSpan.FromSeconds(1)) { MaxRetries = 2, RetryDelay = TimeSpan.FromSeconds(3) },
            """
            {"method": "_TIMER_", "params": {"timer": 1}, "max_timeout": null, "condition": null, "max_retries": 2,
            "retry_delay": 3}
            """),
        (
            TaskError.Create("k", "m", data: Json.Of("""{"a": [1.50]}""")),
            """{"kind": "k", "message": "m", "data": {"a": [1.50]}}"""),
        (new TaskCommand("plain"), """{"method": "plain", "params": null, "max_timeout": null, "condition": null}"""),
        (
            _definition.Commands[1],
            """{"method": "_TIMER_", "params": {"timer": 1.5}, "max_timeout": null, "condition": null}"""),
        (
            _definition.Commands[2],
            """{"method": "_MESSAGE_", "params": null, "max_timeout": null, "condition": null}"""),
        (_definition.Commands[0].Condition!, """{"schema": {"kws.A": {"gt": 1}}}"""),
        (_error, """{"kind": "handler", "type": "System.IO.IOException", "message": "down", "details": "at …"}"""),
        (_record, _record.ToJson()),
        (_record.Managed, """
            {"status": "FAILED", "stage": 0, "queued_at": null, "exec_deadline": null, "wait_deadline": null,
            "next_run": null, "retry_at": 1718452830.1234567,
             "status_change": -62135596800, "executor_id": null, "job_id": "j", "retries": 0, "exit_code": 1,
             "error": {"kind": "handler", "type": "System.IO.IOException", "message": "down", "details": "at …"},
             "pass": 0, "interruptions": 0,
             "result_run": "j", "result_pass": 0, "wait": "NONE", "occurrence": null, "skipped": 5000000000,
             "chain": "NONE"}
            """),
        (_run, """
            {"task_id": "t", "job_id": "j", "status": "FINISHED", "result": [{}, null], "retries": 0, "exit_code": 0,
            "error": null, "occurrence": null,
             "chain": "STARTED", "queued_at": null, "ended": 1718452830.1234567}
            """),
        (_failedStage, """
            {"job_id": "j", "pass": 1, "stage": 2, "attempt": 3, "started": 1718452830.1234567,
            "finished": 1718452831.1234567,
             "error": {"kind": "handler", "type": "System.IO.IOException", "message": "down", "details": "at …"}}
            """),
        (_skippedStage, """
            {"job_id": "j", "pass": 1, "stage": 2, "attempt": 3, "started": 1718452830.1234567,
            "finished": 1718452831.1234567, "result": null, "error": null}
            """),
        (_notification, _notification.ToJson()),
        (_executorTask, _executorTask.ToJson()),
        (new TaskPage { Items = [_record], Next = new TaskCursor(_time, "t") },
            $$"""{"items": [{{_record.ToJson()}}], "next": "NjM4NTQwNDk2MzAxMjM0NTY3IHQ"}"""),
        (new TaskPage { Items = [] }, """{"items": [], "next": null}"""),
        (new NotificationPage { Items = [_notification], Next = new NotificationCursor(7) },
            $$"""{"items": [{{_notification.ToJson()}}], "next": "7"}"""),
        (new TaskCursor(_time, "t"), "\"NjM4NTQwNDk2MzAxMjM0NTY3IHQ\""),
        (new NotificationCursor(7), "\"7\""),
        (new TaskQuery { State = TaskState.Failed, IsPeriodic = false, IdPrefix = "a", CreatedFrom = _time }, """
            {"status": "FAILED", "statuses": null, "final": null, "enabled": null, "method": null,
            "app_name": null, "group": null, "group_id": null, "user_id": null, "periodic": false,
            "id_prefix": "a",
             "created_from": 1718452830.1234567, "created_to": null, "newest_first": false}
            """),
        (new TaskQuery { States = [TaskState.Idle, TaskState.Executing], IsFinal = false, NewestFirst = true }, """
            {"status": null, "statuses": ["IDLE", "EXECUTED"], "final": false, "enabled": null, "method": null,
            "app_name": null, "group": null, "group_id": null, "user_id": null, "periodic": null, "id_prefix": null,
            "created_from": null, "created_to": null, "newest_first": true}
            """),
        (new NotificationQuery { TaskId = "t" }, """{"user_id": null, "task_id": "t", "read": null}"""),
        (new TaskTemplate("[0.id]"), "\"[0.id]\""),
        (TaskState.Executing, "\"EXECUTED\""),
        (WaitKind.Timer, "\"TIMER\""),
        (TaskHold.UnknownCommand, "\"UNKNOWN_COMMAND\""),
        (
            new TaskPause { AppName = "shop", Reason = "repair", Until = _time.AddHours(1), Since = _time },
            """
            {"app_name": "shop", "method": null, "reason": "repair", "until": 1718456430.1234567,
            "since": 1718452830.1234567, "actor": null}
            """),
        (ChainResult.Busy, "\"BUSY\""),
        (MissedRuns.RunLatest, "\"RUN_LATEST\""),
        (RestartPolicy.First, "\"FIRST\""),
        (OnConflict.Skip, "\"SKIP\""),
        (CreateResult.Replaced, "\"REPLACED\""),
        (RetryResult.UnderWay, "\"UNDERWAY\""),
        (new BulkResult { Matched = 3, Done = 2, Refused = 1 },
            """{"operation_id":null,"matched":3,"done":2,"refused":1}"""),
    ];

    public static TheoryData<int> OptionSets => [.. Enumerable.Range(0, _options.Length)];

    [Theory]
    [MemberData(nameof(OptionSets))]
    public void Values_are_written_in_their_wire_form_and_read_back_whatever_the_options(int set)
    {
        var options = _options[set];

        // The user's own converter for all enums takes precedence over that of the type.
        foreach (var (given, expected) in _values.Where(
            value => value.Value is not Enum || options.Converters.Count == 0))
        {
            var json = JsonSerializer.Serialize(given, given.GetType(), options);

            json.ShouldBeJson(expected);
            JsonSerializer.Serialize(
                JsonSerializer.Deserialize(json, given.GetType(), options), given.GetType(), options)
                .Should()
                .Be(json);
        }
    }

    [Fact]
    public void Every_public_type_that_holds_data_has_a_wire_form_or_a_reason()
    {
        var reasons = _withoutWireForm.Keys.SelectMany(names => names.Split(' ')).ToHashSet();
        var data = new[] { typeof(ITaskClient), typeof(SqliteTasksOptions), typeof(PostgreSql.PostgreSqlTasksOptions) }
            .SelectMany(type => type.Assembly.GetExportedTypes())
            .Where(type => type.IsEnum || type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Length > 0)
            .Where(
                type => !type.IsInterface && !type.IsAssignableTo(typeof(Exception))
                    && !type.IsAssignableTo(typeof(Attribute))
                && !type.IsAssignableTo(typeof(JsonConverter)) && !type.IsAssignableTo(typeof(Delegate)))
            .ToList();

        var without = data.Where(
            type => type.GetCustomAttribute<JsonConverterAttribute>()?.ConverterType != typeof(TaskJsonConverter));

        without.Select(type => type.Name).Should().BeSubsetOf(reasons);
        data.Except(without).Should().OnlyContain(
            type => _values.Any(value => value.Value.GetType() == type), "each has a case above");
    }

    /// <summary>
    /// Model and store are compared by the wire forms of these values. An entry's form has no claim, which is compared
    /// separately.
    /// </summary>
    [Fact]
    public void Every_member_is_written_of_the_values_that_a_store_shares_with_the_model()
    {
        var task = _executorTask.With(member => member.Meta, Json.Of("""{"a": 1}"""))
            .With(member => member.MaxRetries, 1)
            .With(member => member.RetryDelay, TimeSpan.FromSeconds(1))
            .With(member => member.Retries, 3)
            .With(member => member.StageRetries, 1)
            .With(member => member.StoreKey, 1);
        var entry = _skippedStage.With(member => member.Error, _error);

        foreach (var (value, without) in new (object, int)[] { (task, 0), (_notification, 0), (_run, 0), (entry, 1) })
        {
            var members = value.GetType().GetProperties().Where(member => member.CanWrite).ToList();
            JsonSerializer.SerializeToElement(value, value.GetType()).GetPropertyCount().Should().Be(
                members.Count - without, "{0} has these members: {1}", value, members);
        }
    }

    [Fact]
    public void States_are_keys_and_members_of_the_users_own_types()
    {
        var json = JsonSerializer.Serialize(
            new
            {
                counts = new Dictionary<TaskState,
                int>
                { [TaskState.Failed] = 2 },
                last = (TaskState?)TaskState.Idle,
            });

        json.Should().Be("""{"counts":{"FAILED":2},"last":"IDLE"}""");
        JsonSerializer.Deserialize<Dictionary<TaskState, int>>("""{"FAILED":2}""").Should().Equal(
            new Dictionary<TaskState, int> { [TaskState.Failed] = 2 });
    }

    [Fact]
    public void Null_and_invalid_values_are_written()
    {
        JsonSerializer.Serialize<TaskDefinition?>(null).Should().Be("null");
        JsonSerializer.Serialize(new TaskDefinition { Commands = null!, RestartPolicy = (RestartPolicy)7 })
            .Should().Contain("\"commands\":null").And.Contain("\"restart_policy\":\"7\"");
        JsonSerializer.Serialize(new TaskDefinition { Commands = [null!] }).Should().Contain("\"commands\":[null]");
        JsonSerializer.Serialize(
            new TaskDefinition { Kws = new { IdOf = 1 }, Commands = [new("do", new { IdOf = 2 })] })
            .Should().Contain("\"kws\":{\"idOf\":1}").And.Contain("\"params\":{\"idOf\":2}");
        JsonSerializer.Serialize(TaskCondition.FromJson(default)).Should().Be("null");
    }

    [Theory]
    [InlineData(typeof(TaskDefinition), "[]", "The task is []; it must be an object.")]
    [InlineData(
        typeof(TaskDefinition),
        """{"commands": 1, "priority": "x"}""",
        "commands is 1; it must be an array. priority is \"x\"; it must be a whole number.")]
    [InlineData(typeof(TaskCommand), """{"method": 1}""", "command.method is 1; it must be text.")]
    [InlineData(typeof(TimerCommand), """{"method": "do"}""", "command.method is \"do\"; it must be \"_TIMER_\".")]
    [InlineData(typeof(MessageCommand), """{"method": "do"}""", "command.method is \"do\"; it must be \"_MESSAGE_\".")]
    [InlineData(typeof(TaskRun), """{"job_id": "j"}""", "task_id is missing; it must be text.")]
    [InlineData(typeof(TaskRun), "1", "The run is 1; it must be an object.")]
    [InlineData(typeof(StageEntry), "1", "The stage's entry is 1; it must be an object.")]
    [InlineData(typeof(TaskPage), "1", "The page is 1; it must be an object.")]
    [InlineData(typeof(NotificationPage), "1", "The page is 1; it must be an object.")]
    [InlineData(typeof(TaskCursor), """{"created": 1}""", "The value is not the text form of a TaskCursor.")]
    [InlineData(typeof(TaskCursor), "\"x y\"", "The value is not the text form of a TaskCursor.")]
    [InlineData(typeof(NotificationCursor), "7", "The value is not the text form of a NotificationCursor.")]
    [InlineData(typeof(TaskPage), """{"items": [], "next": "!"}""", "next is \"!\"; it must be a cursor.")]
    [InlineData(
        typeof(TaskQuery),
        """{"statuses": ["Done"]}""",
        "statuses[0] is \"Done\"; it must be one of IDLE, QUEUED, EXECUTED, SUSPENDED, WAITING, FINISHED, FAILED.")]
    [InlineData(
        typeof(TaskQuery),
        """{"status": "Done"}""",
        "status is \"Done\"; it must be one of IDLE, QUEUED, EXECUTED, SUSPENDED, WAITING, FINISHED, FAILED.")]
    [InlineData(
        typeof(TaskState),
        "\"Done\"",
        "\"Done\" is not a TaskState; it must be one of IDLE, QUEUED, EXECUTED, SUSPENDED, WAITING, FINISHED, FAILED.")]
    [InlineData(
        typeof(TaskState),
        "1",
        "A TaskState must be one of IDLE, QUEUED, EXECUTED, SUSPENDED, WAITING, FINISHED, FAILED.")]
    public void Json_of_another_type_is_refused_with_the_name_of_the_type(Type type, string json, string message)
    {
        var read = () => JsonSerializer.Deserialize(json, type);

        read.Should().Throw<JsonException>().Which.Message.Should().StartWith(message);
    }

    [Fact]
    public async Task A_minimal_api_returns_and_accepts_the_types()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddKaijuTasks();
        await using var app = builder.Build();
        app.UseRouting();
        app.MapGet("/page", () => new TaskPage { Items = [_record], Next = null });
        app.MapGet("/stages", () => TypedResults.Ok<IReadOnlyList<StageEntry>>([_failedStage]));
        app.MapGet("/states", () => new { state = _record.State, run = _run });
        app.MapPost("/tasks", (TaskDefinition definition, ITaskClient tasks) => tasks.CreateAsync(definition));
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        (await http.GetStringAsync("/page")).ShouldBeJson($$"""{"items": [{{_record.ToJson()}}], "next": null}""");
        Json.Of(await http.GetStringAsync("/stages"))[0].GetProperty("error").GetProperty("kind")
            .GetString().Should().Be("handler");
        (await http.GetStringAsync("/states")).ShouldBeJson(
            $$"""{"state": "FAILED", "run": {{JsonSerializer.Serialize(_run)}}}""");
        using var created = await http.PostAsync("/tasks", Body("""{"id": "t", "commands": [{"method": "do"}]}"""));
        var run = (await app.Services.GetRequiredService<ITaskClient>().GetAsync("t"))!.JobId;
        (await created.Content.ReadAsStringAsync()).ShouldBeJson(
            $$"""
            {"task_id": "t", "job_id": "{{run}}", "result": "CREATED",
             "status": "QUEUED", "faults": []}
            """);
        using var refused = await http.PostAsync("/tasks", Body("""{"id": "t", "commands": 1}"""));
        ((int)refused.StatusCode).Should().Be(StatusCodes.Status400BadRequest);
        await app.StopAsync();
    }

    private static StringContent Body(string json) => new(json, Encoding.UTF8, "application/json");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TaskDefinition))]
[JsonSerializable(typeof(TaskCommand))]
[JsonSerializable(typeof(TimerCommand))]
[JsonSerializable(typeof(MessageCommand))]
[JsonSerializable(typeof(TaskCondition))]
[JsonSerializable(typeof(TaskError))]
[JsonSerializable(typeof(TaskRecord))]
[JsonSerializable(typeof(ManagedState))]
[JsonSerializable(typeof(TaskRun))]
[JsonSerializable(typeof(StageEntry))]
[JsonSerializable(typeof(TaskNotification))]
[JsonSerializable(typeof(ExecutorTask))]
[JsonSerializable(typeof(TaskPage))]
[JsonSerializable(typeof(NotificationPage))]
[JsonSerializable(typeof(TaskCursor))]
[JsonSerializable(typeof(TaskQuery))]
[JsonSerializable(typeof(NotificationQuery))]
[JsonSerializable(typeof(NotificationCursor))]
[JsonSerializable(typeof(TaskHandle))]
[JsonSerializable(typeof(TaskTemplate))]
[JsonSerializable(typeof(TaskState))]
[JsonSerializable(typeof(WaitKind))]
[JsonSerializable(typeof(TaskHold))]
[JsonSerializable(typeof(TaskPause))]
[JsonSerializable(typeof(ChainResult))]
[JsonSerializable(typeof(MissedRuns))]
[JsonSerializable(typeof(RestartPolicy))]
[JsonSerializable(typeof(OnConflict))]
[JsonSerializable(typeof(CreateResult))]
[JsonSerializable(typeof(RetryResult))]
[JsonSerializable(typeof(BulkResult))]
internal sealed partial class WireFormJson : JsonSerializerContext;
