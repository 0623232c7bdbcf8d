using System.Text.Json;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Validation;

public sealed class TaskDefinitionCheckerTests : IAsyncDisposable
{
    private readonly TaskTestHost _host = new(configure: options => options.AppName = "shop");

    private TaskDefinitionChecker Checker => _host.Services.GetRequiredService<TaskDefinitionChecker>();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public void A_definition_is_made_complete()
    {
        var task = Checker.Prepare(
            new TaskDefinition { Commands = [new("do", new { UserName = "x" })], Kws = new { LimitMax = 1 } });

        Guid.TryParse(task.Id, out _).Should().BeTrue();
        task.AppName.Should().Be("shop");
        task.MaxExecTimeout.Should().Be(TimeSpan.FromSeconds(300));
        task.KwsJson.GetRawText().Should().Be("""{"limitMax":1}""", "user types are written with Web defaults");
        task.Commands[0].ParamsJson.GetRawText().Should().Be("""{"userName":"x"}""");
    }

    [Fact]
    public void Json_given_by_the_caller_may_be_disposed_afterwards()
    {
        var document = JsonDocument.Parse("""{"schema": {"kws.a": 1.50}}""");

        var task = Checker.Prepare(new TaskDefinition
        {
            KwsJson = document.RootElement,
            MetaJson = document.RootElement,
            Commands = [new("do", document.RootElement) { Condition = TaskCondition.FromJson(document.RootElement) }],
        });
        var json = document.RootElement.GetRawText();
        document.Dispose();

        new[] { task.KwsJson, task.MetaJson, task.Commands[0].ParamsJson, task.Commands[0].Condition!.Json }
            .Texts().Should().AllBe(json);
    }

    public static TheoryData<string, TaskDefinition> Refused => new()
    {
        { "id is \"\" with 0 characters; it must have 1 to 200.", One() with { Id = "" } },
        { "id is \"*with 201 characters; it must have 1 to 200.", One() with { Id = new string('x', 201) } },
        { "id has a control character; it must have none.", One() with { Id = "a\nb" } },
        { "id contains a lone surrogate*", One() with { Id = "a\ud800" } },
        { "app_name is \"\"*", One() with { AppName = "" } },
        { "next_task has a control character*", One() with { NextTask = "\t" } },
        { "description contains U+0000*", One() with { Description = "a\0" } },
        { "commands has 0 entries; it must have 1 to 100.", One() with { Commands = [] } },
        { "commands has 101 entries; it must have 1 to 100.", One() with { Commands = [
            .. Enumerable.Repeat(new TaskCommand("do"), 101)] } },
        { "commands[0].method is \"\"; it must have 1 to 200 characters, not only blanks.", With(new("")) },
        {
            "max_exec_timeout is 5; it must be from 10 to 14400 seconds.",
            One() with { MaxExecTimeout = TimeSpan.FromSeconds(5) }
        },
        {
            "max_exec_timeout is 14401; it must be from 10 to 14400 seconds.",
            One() with { MaxExecTimeout = TimeSpan.FromSeconds(14401) }
        },
        { "max_retries is 11; it must be from 0 to 10.", One() with { MaxRetries = 11 } },
        { "max_retries is -1; it must be from 0 to 10.", One() with { MaxRetries = -1 } },
        { "retry_delay is -1; it must be from 0 to 31622400 seconds.", One() with { RetryDelay = TimeSpan.FromSeconds(
            -1) } },
        { "restart_policy is 7*", One() with { RestartPolicy = (RestartPolicy)7 } },
        { "cron is \"* * *\"*it must have five fields*", One() with { Cron = "* * *" } },
        { "cron \"0 0 30 2 *\" never occurs.", One() with { Cron = "0 0 30 2 *" } },
        { "cron_time_zone is \"Mars/Base\"*", One() with { Cron = "@daily", CronTimeZone = "Mars/Base" } },
        { "cron_time_zone is \"Europe/Riga\" without a cron*", One() with { CronTimeZone = "Europe/Riga" } },
        { "kws is [1]; it must be an object.", One() with { KwsJson = Json.Of("[1]") } },
        { "kws has the key \"a\" twice in one object.", One() with { KwsJson = Json.Of("""{"a": 1, "a": 2}""") } },
        { "kws.a is \"\\u0000\", which contains U+0000 and cannot be stored.", One() with { KwsJson = Json.Of(
            """{"a": "\u0000"}""") } },
        { "kws is 1048579 bytes of JSON; at most 1048576 are allowed.", One() with { KwsJson = Big(1048579) } },
        { "commands[0].params.c is half a character, a lone surrogate, which cannot be stored.", With(
            new("do", new { c = '\ud800' })) },
        { "commands[0].params is a JsonObject, which cannot be written as JSON: *lone surrogate*", With(
            new("do", new System.Text.Json.Nodes.JsonObject { ["\ud800"] = 1 })) },
        { "commands is null*", One() with { Commands = null! } },
        { "commands[1] is null*", One() with { Commands = [new("do"), null!] } },
        { "commands[0].method is null*", With(new TaskCommand("do") with { Method = null! }) },
        { "cron_time_zone is \"Europe\"*", One() with { Cron = "@daily", CronTimeZone = "Europe" } },
        { "meta is 5; it must be an object.", One() with { MetaJson = Json.Of("5") } },
        {
            "kws.a is \"�\", which contains a lone surrogate and cannot be stored.",
            One() with { Kws = new { a = "\ud800" } }
        },
        { "commands[0].params has the key*U+0000*", With(new("do", new Dictionary<string, int> { ["\0"] = 1 })) },
        { "commands[0].params is 1048579 bytes of JSON*", With(new("do", Big(1048579))) },
        { "commands[0].params.a has text with a lone surrogate*", With(new("do", Json.Of("""{"a": "\ud800"}"""))) },
        { "commands[0].params is nested deeper than 64 levels.", With(new("do", Deep(65))) },
        { "commands[0].params.items[1]: \"[a\": unbalanced*", With(new("do", new { items = new[] { "ok", "[a" } })) },
        { "commands[0].params.x: \"[!zz:1]\": unknown_operator*", With(new("do", new { x = "[!zz:1]" })) },
        { "commands[0].method: \"[kws\": unbalanced*", With(new("[kws")) },
        { "commands[0].max_timeout is 0; it must be more than 0 and at most 14400 seconds.", With(
            new("do") { MaxTimeout = TimeSpan.Zero }) },
        { "commands[0].max_retries is 11; it must be from 0 to 10.", With(new("do") { MaxRetries = 11 }) },
        { "commands[0].max_retries is -1; it must be from 0 to 10.", With(new TimerCommand("1") { MaxRetries = -1 }) },
        { "commands[0].retry_delay is -1; it must be from 0 to 31622400 seconds.", With(
            new("do") { RetryDelay = TimeSpan.FromSeconds(-1) }) },
        { "commands[0].retry_delay is 31622401; it must be from 0 to 31622400 seconds.", With(
            new("do") { MaxRetries = 1, RetryDelay = TimeSpan.FromSeconds(31622401) }) },
        { "commands[0].max_timeout is 31622401; it must be more than 0 and at most 31622400 seconds.", With(
            new MessageCommand { MaxTimeout = TimeSpan.FromSeconds(31622401) }) },
        { "commands[0].params.timer is -1; it must be a number of seconds*", With(
            new TimerCommand(TimeSpan.FromSeconds(-1))) },
        { "commands[0].params.timer is 31622401*at most 31622400.", With(
            new TimerCommand(TimeSpan.FromSeconds(31622401))) },
        { "commands[0].params.timer is \"soon\"*", With(new TimerCommand("soon")) },
        { "commands[0].params.timer is nothing*", With(new(TimerCommand.MethodName)) },
        { "commands[0].condition*invalid_condition*", With(
            new("do") { Condition = TaskCondition.FromJson(Json.Of("5")) }) },
        { "commands[0].condition*invalid_condition*", With(
            new("do") { Condition = TaskCondition.FromJson(Json.Of("""{"schema": {}, "more": 1}""")) }) },
        { "commands[0].condition*unknown_operator*", With(
            new("do") { Condition = TaskCondition.FromSchema(Json.Of("""{"kws.a": {"near": 1}}""")) }) },
        { "commands[0].params.x refers to the result of stage 0*", With(new("do", new { x = "[0]" })) },
        { "commands[0].params.x refers to the result of stage 1*", With(
            new("do", new { x = "[1.total:5]" }), new TaskCommand("do")) },
        { "commands[1].params.x[0] refers to the result of stage 3*", With(
            new("do"), new TaskCommand("do", new { x = new[] { "[!f:{3-a}]" } })) },
        { "commands[0].condition.schema[\"2.a\"] refers to the result of stage 2*", With(
            new TaskCommand("do") { Condition = TaskCondition.Where("2.a").IsNull() }) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void An_invalid_definition_is_refused(string why, TaskDefinition definition)
    {
        var prepare = () => Checker.Prepare(definition);

        prepare.Should().Throw<TaskValidationException>().Which.Faults.Should().ContainMatch(why);
    }

    [Fact]
    public async Task All_faults_are_named_in_one_error_and_nothing_is_stored()
    {
        var create = () => _host.Client.CreateAsync(new TaskDefinition
        {
            Id = "bad",
            MaxRetries = 99,
            MaxExecTimeout = TimeSpan.FromSeconds(1),
            Cron = "nonsense",
            Commands = [new("do", new { a = "[x", b = "[]" }), new TimerCommand(TimeSpan.Zero)],
        });

        var refused = (await create.Should().ThrowAsync<TaskValidationException>()).Which;

        refused.TaskId.Should().Be("bad");
        refused.Faults.Should().HaveCount(6);
        refused.Message.Should().StartWith("Task \"bad\" is invalid (6 errors):").And
            .ContainAll(refused.Faults);
        (await _host.Client.GetAsync("bad")).Should().BeNull();
    }

    [Fact]
    public void A_definition_larger_than_all_its_parts_may_be_is_refused()
    {
        var prepare = () => Checker.Prepare(
            One() with { Commands = [.. Enumerable.Repeat(new TaskCommand("do", Big(1_000_000)), 17)] });

        prepare.Should().Throw<TaskValidationException>().WithMessage(
            "*The definition is 17000036 bytes of JSON; at most 16777216 are allowed.");
    }

    [Fact]
    public void Limits_are_options()
    {
        using var services = new ServiceCollection().AddKaijuTasks(options => options.Limits = new TaskLimits
        {
            MaxStages = 1,
            MaxRetries = 50,
            MinExecTimeout = TimeSpan.FromSeconds(1),
            MaxKwsBytes = 10,
            MaxIdLength = 3,
            MaxWait = TimeSpan.FromSeconds(5),
        }).Services.BuildServiceProvider();
        var checker = services.GetRequiredService<TaskDefinitionChecker>();

        checker.Prepare(One() with { Id = "abc", MaxRetries = 50, MaxExecTimeout = TimeSpan.FromSeconds(1) });
        var prepare = () => checker.Prepare(
            With(new TimerCommand(TimeSpan.FromSeconds(6)), new TaskCommand("do")) with
            {
                Id = "abcd",
                KwsJson = Big(11),
            });

        prepare.Should().Throw<TaskValidationException>().Which.Faults.Should().HaveCount(4);
    }

    [Fact]
    public void Templates_with_a_timer_that_is_known_later_are_accepted() =>
        Checker.Prepare(With(new TimerCommand("[kws.delay:60]"))).Commands[0].ParamsJson.GetRawText()
            .Should().Be("""{"timer":"[kws.delay:60]"}""");

    [Fact]
    public void References_to_earlier_stages_and_to_keys_that_look_like_numbers_are_accepted() =>
        Checker.Prepare(
            With(new("do"), new TaskCommand("do", new { a = "[0]", b = "[0.5]", c = "[kws.7]", d = "[01:x]" })));

    [Fact]
    public async Task A_store_accepts_only_prepared_definitions()
    {
        var create = async () => await _host.Store.CreateAsync([One()], OnConflict.Fail, default);

        await create.Should().ThrowAsync<ArgumentException>().WithMessage("*is not complete*");
    }

    private static TaskDefinition One() => With(new TaskCommand("do"));

    private static TaskDefinition With(TaskCommand first, params TaskCommand[] more) =>
        new() { Commands = [first, .. more] };

    private static JsonElement Big(int bytes) => Json.Of($$"""{"a":"{{new string('x', bytes - 8)}}"}""");

    private static JsonElement Deep(int levels) =>
        JsonElement.Parse(
            new string('[', levels) + new string(']', levels), new JsonDocumentOptions { MaxDepth = 1000 });

    [Fact]
    public async Task The_retries_of_a_task_that_names_none_are_those_of_the_host()
    {
        await using var host = new TaskTestHost(configure: options => options.DefaultMaxRetries = 3);

        await host.Client.CreateAsync(new TaskDefinition { Id = "none", Commands = [new("do")] });
        await host.Client.CreateAsync(new TaskDefinition { Id = "zero", MaxRetries = 0, Commands = [new("do")] });
        await host.Client.ImportAsync([TaskRecord.FromJson("""{"id": "old", "commands": [{"method": "do"}]}""")]);

        (await host.GetAsync("none")).Definition.MaxRetries.Should().Be(3);
        (await host.GetAsync("zero")).Definition.MaxRetries.Should().Be(0);
        (await host.GetAsync("old")).Definition.MaxRetries.Should().Be(0, "it has run elsewhere without");
    }

    [Fact]
    public async Task An_imported_failure_stays_final_whatever_the_hosts_retries()
    {
        await using var host = new TaskTestHost(configure: options => options.DefaultMaxRetries = 3);

        await host.Client.ImportAsync([TaskRecord.FromJson("""
            {"id": "failed", "status": "FAILED", "queued_at": 1718452800, "exit_code": 1, "error": "boom",
            "commands": [{"method": "do"}]}
            """)]);

        (await host.GetAsync("failed")).Should().Match<TaskRecord>(
            task => task.HasEnded && task.RetryAt == null && task.Definition.MaxRetries == 0);
    }

    [Fact]
    public async Task An_import_keeps_retries_of_a_command_that_some_host_allows()
    {
        TaskRecord Stored(string id, string members) => TaskRecord.FromJson(
            $$"""{"id": "{{id}}", "run_at": 4102444800, "commands": [{"method": "do", {{members}}}]}""");

        await _host.Client.ImportAsync([Stored("kept", "\"max_retries\": 99, \"retry_delay\": 40000000")]);
        var bad = await _host.Client.ImportAsync([Stored("bad", "\"max_retries\": -1, \"retry_delay\": 4000000000")]);

        bad[0].Faults.Should().Equal(
            "commands[0].max_retries is -1; it must be from 0 to 1000000.",
            "commands[0].retry_delay is 4000000000; it must be from 0 to 3162240000 seconds.");
        var command = (await _host.GetAsync("kept")).Definition.Commands[0];
        (command.MaxRetries, command.RetryDelay).Should().Be((99, TimeSpan.FromSeconds(40_000_000)));
    }

    [Fact]
    public async Task Retries_of_a_command_are_checked_by_every_creation()
    {
        var bad = With(new TaskCommand("do") { MaxRetries = 11 }) with { Id = "bad" };

        var answers = await _host.Client.CreateManyAsync([bad]);

        answers[0].Faults.Should().Equal("commands[0].max_retries is 11; it must be from 0 to 10.");
    }

    [Fact]
    public async Task A_value_whose_only_member_is_reserved_is_refused_by_every_method()
    {
        var reserved = Json.Of("""{"$kaiju": {"a": 1}}""");
        await using var host = new TaskTestHost(tasks => tasks
            .AddJsonCommand("give", (_, _, _) => ValueTask.FromResult(reserved)));

        (await FluentActions.Awaiting(() => host.Client.CreateAsync(new TaskDefinition
        {
            KwsJson = reserved,
            Commands = [new("do", reserved)],
        })).Should().ThrowAsync<TaskValidationException>()).Which.Faults.Should().Equal(
            "kws has \"$kaiju\" as its only member, which is reserved; give it another name.",
            "commands[0].params has \"$kaiju\" as its only member, which is reserved; give it another name.");
        await FluentActions.Awaiting(() => host.Client.SendMessageAsync("t", reserved)).Should()
            .ThrowAsync<TaskValidationException>().WithMessage("*message has \"$kaiju\" as its only member*");
        var failed = await host.RunAsync(new TaskDefinition { Commands = [new("give")] });
        (failed.Error!.Kind, failed.Error.Message).Should().Be(
            (
                TaskErrorKind.Result,
                "The result of \"give\" is invalid: result has \"$kaiju\" as its only member, which is reserved; give "
                    + "it another name."));
    }

    [Theory]
    [InlineData("""{"$kaiju": 1, "a": 2}""")]
    [InlineData("""{"a": {"$kaiju": 1}}""")]
    [InlineData("""{"$kaijuu": 1}""")]
    [InlineData("""{"a": "$kaiju"}""")]
    public async Task A_reserved_name_beside_others_or_deeper_is_allowed(string json)
    {
        await using var host = new TaskTestHost();

        (await host.Client.CreateAsync(new TaskDefinition { KwsJson = Json.Of(json), Commands = [new("do")] }))
            .Result.Should().Be(CreateResult.Created);
    }
}
