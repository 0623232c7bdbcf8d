using System.Text.Json;

namespace Kaiju.Tasks.Tests.Wire;

public sealed class DefinitionJsonTests
{
    /// <summary>A task as the Python original stores it, with all members.</summary>
    private const string Stored = """
        {
          "id": "d6f1c9d4", "app_name": "app.main", "enabled": true, "cron": "*/5 * * * *", "max_exec_timeout": 600,
          "max_retries": 2, "restart_policy": "FIRST", "notify": true, "next_task": "after", "system": false,
          "description": "Żółw", "meta": {"tags": ["a"]}, "group": "g", "group_id": "g-1", "user_id": "u-1",
          "kws": {"limit": 1.50, "big": 12345678901234567890},
          "commands": [
            {"method": "do.first", "params": {"x": "[kws.limit]"}, "max_timeout": 30,
            "condition": {"schema": {"kws.limit": {"gt": 1}}}},
            {"method": "_TIMER_", "params": {"timer": 60}, "max_timeout": null, "condition": null},
            {"method": "_MESSAGE_", "params": null, "max_timeout": 120.5, "condition": null}
          ]
        }
        """;

    [Fact]
    public void A_definition_that_the_original_stored_loads()
    {
        var task = TaskDefinition.FromJson(Stored);

        task.Id.Should().Be("d6f1c9d4");
        task.AppName.Should().Be("app.main");
        task.Cron.Should().Be("*/5 * * * *");
        task.MaxExecTimeout.Should().Be(TimeSpan.FromMinutes(10));
        task.MaxRetries.Should().Be(2);
        task.RestartPolicy.Should().Be(RestartPolicy.First);
        task.Notify.Should().BeTrue();
        task.NextTask.Should().Be("after");
        task.Description.Should().Be("Żółw");
        task.MetaJson.GetRawText().Should().Be("""{"tags": ["a"]}""");
        (task.Group, task.GroupId, task.UserId).Should().Be(("g", "g-1", "u-1"));
        task.Commands.Should().HaveCount(3);
        task.Commands[0].Method.Should().Be("do.first");
        task.Commands[0].ParamsJson.GetRawText().Should().Be("""{"x": "[kws.limit]"}""");
        task.Commands[0].MaxTimeout.Should().Be(TimeSpan.FromSeconds(30));
        task.Commands[0].Condition!.Json.GetRawText().Should().Be("""{"schema": {"kws.limit": {"gt": 1}}}""");
        task.Commands[1].Condition.Should().BeNull();
        task.Commands[2].MaxTimeout.Should().Be(TimeSpan.FromSeconds(120.5));
    }

    [Fact]
    public void A_loaded_definition_is_written_with_the_same_members()
    {
        var written = TaskDefinition.FromJson(Stored).ToJson();

        var members = Json.Of(written);
        foreach (var member in Json.Of(Stored).EnumerateObject())
        {
            JsonElement.DeepEquals(members.GetProperty(member.Name), member.Value).Should().BeTrue(member.Name);
        }

        TaskDefinition.FromJson(written).ToJson().Should().Be(written);
    }

    [Fact]
    public void Numbers_keep_the_spelling_they_came_with()
    {
        var written = TaskDefinition.FromJson(Stored).ToJson();

        written.Should().Contain("""{"limit": 1.50, "big": 12345678901234567890}""");
    }

    [Fact]
    public void Missing_members_take_their_defaults()
    {
        var task = TaskDefinition.FromJson("""{"commands": [{"method": "do"}]}""");

        task.Id.Should().BeNull();
        task.AppName.Should().BeNull();
        task.Enabled.Should().BeTrue();
        task.MaxExecTimeout.Should().BeNull();
        task.MaxRetries.Should().BeNull("creation completes it");
        task.RestartPolicy.Should().Be(RestartPolicy.Current);
        task.RunAt.Should().BeNull();
        task.Priority.Should().Be(0);
        task.RetryDelay.Should().BeNull();
        task.Commands[0].ParamsJson.ValueKind.Should().Be(JsonValueKind.Undefined);
    }

    [Fact]
    public void Explicit_nulls_are_the_same_as_missing_members()
    {
        var nulls = string.Join(", ", new[]
        {
            "app_name",
            "kws",
            "enabled",
            "cron",
            "cron_time_zone",
            "run_at",
            "priority",
            "max_exec_timeout",
            "max_retries",
            "retry_delay",
            "restart_policy", "notify", "next_task", "system", "description", "meta", "group", "group_id", "user_id",
        }.Select(name => $"\"{name}\": null"));

        var task = TaskDefinition.FromJson(
            $$"""
            {"id": "t", {{nulls}}, "commands": [{"method": "do", "params": null, "max_timeout": null,
            "condition": null, "max_retries": null, "retry_delay": null}]}
            """);

        task.ToJson().Should().Be(TaskDefinition.FromJson("""{"id": "t", "commands": [{"method": "do"}]}""").ToJson());
    }

    [Fact]
    public void Unknown_members_are_ignored() =>
        TaskDefinition.FromJson(
            """{"id": "t", "unheard": {"of": 1}, "commands": [{"method": "do", "more": true}]}""").Id
            .Should()
            .Be("t");

    [Fact]
    public void A_json_rpc_request_is_a_command()
    {
        var task = TaskDefinition.FromJson(
            """{"commands": [{"jsonrpc": "2.0", "id": 1, "method": "do.it", "params": {"a": 1}}]}""");

        task.Commands[0].Method.Should().Be("do.it");
        task.Commands[0].ParamsJson.GetRawText().Should().Be("""{"a": 1}""");
        (task.Commands[0].MaxRetries, task.Commands[0].RetryDelay).Should().Be(((int?)null, (TimeSpan?)null));
    }

    [Fact]
    public void A_commands_retries_are_read_written_and_stored()
    {
        const string Command =
            """{"method":"do","params":null,"max_timeout":null,"condition":null,"max_retries":3,"retry_delay":2.5}""";
        var task = TaskDefinition.FromJson($$"""{"commands": [{{Command}}, {"method": "do", "max_retries": 0}]}""");

        (task.Commands[0].MaxRetries, task.Commands[0].RetryDelay).Should().Be((3, TimeSpan.FromSeconds(2.5)));
        (task.Commands[1].MaxRetries, task.Commands[1].RetryDelay).Should().Be((0, (TimeSpan?)null));
        task.ToJson().Should().Contain(Command);
        var stored = task.ToStoredJson();
        stored.Should().Contain(
            """[{"method":"do","max_retries":3,"retry_delay":2.5},{"method":"do","max_retries":0}]""");
        TaskDefinition.FromStoredJson(System.Text.Encoding.UTF8.GetBytes(stored), "t", "app").ToStoredJson()
            .Should().Be(stored);
    }

    [Fact]
    public void A_commands_retries_of_another_type_are_refused() =>
        FluentActions.Invoking(() => TaskDefinition.FromJson(
            """{"commands": [{"method": "do", "max_retries": 1.5, "retry_delay": "soon"}]}"""))
            .Should().Throw<TaskValidationException>().Which.Faults.Should().SatisfyRespectively(
                fault => fault.Should().StartWith("commands[0].max_retries is 1.5; it must be"),
                fault => fault.Should().StartWith("commands[0].retry_delay is \"soon\"; it must be"));

    [Theory]
    [InlineData("1718452830", "2024-06-15T12:00:30.0000000+00:00")]
    [InlineData("1718452830.25", "2024-06-15T12:00:30.2500000+00:00")]
    [InlineData("1718452830.1234567", "2024-06-15T12:00:30.1234567+00:00")]
    [InlineData("-1.5", "1969-12-31T23:59:58.5000000+00:00")]
    [InlineData("\"2024-06-15T12:00:30Z\"", "2024-06-15T12:00:30.0000000+00:00")]
    [InlineData("\"2024-06-15T14:00:30.123456+02:00\"", "2024-06-15T12:00:30.1234560+00:00")]
    [InlineData("\"2024-06-15T12:00:30.123456\"", "2024-06-15T12:00:30.1234560+00:00")]
    [InlineData("\"2024-06-15 12:00:30\"", "2024-06-15T12:00:30.0000000+00:00")]
    public void Times_are_unix_seconds_or_iso_text(string json, string expected)
    {
        var task = TaskDefinition.FromJson($$"""{"run_at": {{json}}, "commands": [{"method": "do"}]}""");

        task.RunAt!.Value.ToString("O").Should().Be(expected);
        TaskDefinition.FromJson(task.ToJson()).RunAt.Should().Be(task.RunAt);
    }

    [Fact]
    public void The_end_of_time_survives_as_on_demand()
    {
        var task = new TaskDefinition { RunAt = TaskDefinition.OnDemand, Commands = [new("do")] };

        TaskDefinition.FromJson(task.ToJson()).RunAt.Should().Be(TaskDefinition.OnDemand);
    }

    [Fact]
    public void All_faults_are_named_in_one_error()
    {
        var load = () => TaskDefinition.FromJson(
            """
            {"id": 5, "enabled": "yes", "max_retries": 1.5, "restart_policy": "current", "run_at": "soon",
            "commands": [{"method": 1, "max_timeout": "[x]"}, 7]}
            """);

        load.Should().Throw<TaskValidationException>().Which.Faults.Should().Equal(
            "id is 5; it must be text.",
            "commands[0].method is 1; it must be text.",
            "commands[0].max_timeout is \"[x]\"; it must be a number of seconds.",
            "commands[1] is 7; it must be an object.",
            "enabled is \"yes\"; it must be true or false.",
            "run_at is \"soon\"; it must be a time: UNIX seconds or ISO 8601 text.",
            "max_retries is 1.5; it must be a whole number.",
            "restart_policy is \"current\"; it must be one of CURRENT, FIRST.");
    }

    [Theory]
    [InlineData("""{"id": "a", "id": "b", "commands": []}""", "has the key \"id\" twice in one object")]
    [InlineData("""{"kws": {"a": {"b": 1, "b": 2}}, "commands": []}""", "has the key \"b\" twice in one object")]
    [InlineData("""{"kws": {"a": "x\u0000y"}, "commands": []}""", "contains U+0000")]
    [InlineData("""{"kws": {"\u0000": 1}, "commands": []}""", "contains U+0000")]
    [InlineData("""{"kws": {"a": "\ud800"}, "commands": []}""", "lone surrogate")]
    [InlineData("""{"kws": {"\udc00": 1}, "commands": []}""", "lone surrogate")]
    [InlineData("[1, 2]", "it must be an object")]
    [InlineData("{", "is not valid JSON")]
    [InlineData("", "is not valid JSON")]
    public void Json_that_cannot_be_stored_is_refused(string json, string why)
    {
        var load = () => TaskDefinition.FromJson(json);

        load.Should().Throw<TaskValidationException>().WithMessage($"*{why}*");
    }

    [Fact]
    public void A_lone_surrogate_in_the_text_itself_is_refused()
    {
        var load = () => TaskDefinition.FromJson("{\"id\": \"\ud800\", \"commands\": []}");

        load.Should().Throw<TaskValidationException>().WithMessage("*lone surrogate*");
    }

    /// <summary>Every member with a non-default value, and every member with its default.</summary>
    [Theory]
    [InlineData("""
        {
          "id": "t", "app_name": "app", "kws": {"a": [1.50]}, "enabled": false, "cron": "*/5 * * * *",
          "cron_time_zone": "Europe/Riga", "run_at": 1718449230.25,
          "priority": -3, "max_exec_timeout": 12.5, "max_retries": 3, "retry_delay": 0, "restart_policy": "FIRST",
          "notify": true, "next_task": "n", "system": true,
          "description": "for \u00e9 people", "meta": {"m": null}, "group": "g", "group_id": "i", "user_id": "u",
          "commands": [{"method": "do.[0]", "params": ["[kws.a]", null], "max_timeout": 2.5,
          "condition": {"schema": {"0": {"gt": 1}}}}, {"method": "x", "params": {}}]
        }
        """)]
    [InlineData(
        """{"id": "t", "app_name": "app", "kws": {}, "max_exec_timeout": 300, "commands": [{"method": "do"}]}""")]
    [InlineData(
        """
        {"id": "t", "app_name": "app", "kws": {}, "max_exec_timeout": 300, "run_at": 253402300800,
        "commands": [{"method": "do", "params": "text"}]}
        """)]
    public void A_definition_in_its_stored_form_is_the_same_definition(string json)
    {
        var given = TaskDefinition.FromJson(json);
        var definition = given with { MaxRetries = given.MaxRetries ?? 0 };

        var stored = definition.ToStoredJson();

        TaskDefinition.FromStoredJson(System.Text.Encoding.UTF8.GetBytes(stored), "t", "app").ToJson()
            .Should().Be(definition.ToJson());
        (TaskDefinition.FromJson(stored) with { Id = "t", AppName = "app", MaxRetries = definition.MaxRetries })
            .ToJson().Should().Be(definition.ToJson());
    }

    [Fact]
    public void Stored_members_that_only_a_later_version_knows_are_written_back_as_they_were_read()
    {
        const string Stored = """{"commands":[{"method":"do","newer":{"a": [1, 2.50]}},"""
            + """{"method":"do","params":{},"newer":"é"}],"priority":5,"newer":null,"even newer":1e2}""";
        var read = TaskDefinition.FromStoredJson(System.Text.Encoding.UTF8.GetBytes(Stored), "t", "app");

        read.ToStoredJson().Should().Be(Stored);
        (read with { Priority = 0 }).ToStoredJson().Should().Be(
            Stored.Replace("\"priority\":5,", "", StringComparison.Ordinal));
        (read with { Commands = [new("do")] }).ToStoredJson().Should().Be(
            """{"commands":[{"method":"do"}],"priority":5,"newer":null,"even newer":1e2}""");
        Contracts.Checked.Definition(read).ToStoredJson().Should().Contain("\"newer\":{\"a\": [1, 2.50]}").And
            .Contain("\"newer\":\"é\"").And.Contain("\"even newer\":1e2", "completing it keeps them");
    }

    [Fact]
    public void Unknown_members_of_a_users_json_are_not_stored()
    {
        var given = TaskDefinition.FromJson(
            """{"id": "t", "newer": 1, "commands": [{"method": "do", "id": 1, "jsonrpc": "2.0", "newer": 2}]}""");

        given.ToStoredJson().Should().Be("""{"commands":[{"method":"do"}]}""");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"unknown": 1}""")]
    [InlineData("""{"commands": {}}""")]
    [InlineData("""{"restart_policy": "NEVER"}""")]
    public void Json_that_no_store_has_written_is_not_a_stored_definition(string json)
    {
        var read = () => TaskDefinition.FromStoredJson(System.Text.Encoding.UTF8.GetBytes(json), "t", "app");

        read.Should().Throw<System.Text.Json.JsonException>();
    }
}
