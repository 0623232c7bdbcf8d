using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Tests.Lifecycle;

/// <summary>The rules about queued tasks that are held, one sentence each.</summary>
public sealed class TaskRoutingTests
{
    private static readonly DateTimeOffset _now = TaskTestHost.Start;

    [Fact]
    public void Without_announcements_and_pauses_no_task_is_held()
    {
        TaskRouting.Empty.HoldOf("app", "do").Should().Be(TaskHold.None);
        TaskRouting.Empty.IsPaused("app", _now).Should().BeFalse();
        TaskRouting.Empty.Holds.Should().BeEmpty();
    }

    [Fact]
    public void A_method_that_every_executor_has_announced_is_not_held()
    {
        var routing = Of([("app", "", 2), ("app", "do", 2)]);

        routing.HoldOf("app", "do").Should().Be(TaskHold.None);
    }

    [Fact]
    public void A_method_that_an_executor_lacks_is_held_for_the_others()
    {
        var routing = Of([("app", "", 2), ("app", "do", 1)]);

        routing.HoldOf("app", "do").Should().Be(TaskHold.UnknownCommand);
    }

    [Fact]
    public void A_method_that_no_executor_has_announced_is_held()
    {
        var routing = Of([("app", "", 1), ("app", "do", 1)]);

        routing.HoldOf("app", "new").Should().Be(TaskHold.UnknownCommand);
    }

    [Fact]
    public void The_announcements_of_an_app_do_not_count_for_another()
    {
        var routing = Of([("app", "", 1), ("app", "do", 1)]);

        routing.HoldOf("other", "new").Should().Be(TaskHold.None);
        routing.IsKnown("other", "new").Should().BeTrue("no executor of that app has announced anything");
    }

    /// <summary>It is not among those that have announced anything, so it takes part in no count.</summary>
    [Fact]
    public void An_executor_without_an_announcement_does_not_restrict_others()
    {
        var routing = Of([("app", "", 1), ("app", "do", 1)]);

        routing.HoldOf("app", "do").Should().Be(TaskHold.None);
    }

    [Fact]
    public void An_executor_that_announces_no_methods_holds_all_methods()
    {
        var routing = Of([("app", "", 2), ("app", "do", 1)]);

        routing.HoldOf("app", "do").Should().Be(TaskHold.UnknownCommand);
        routing.IsKnown("app", "do").Should().BeTrue();
    }

    [Fact]
    public void A_method_that_is_not_filled_yet_is_never_held()
    {
        var routing = Of([("app", "", 1)], new TaskPause { Method = "do" }, new TaskPause { AppName = "app" });

        routing.HoldOf("app", null).Should().Be(TaskHold.None);
    }

    [Theory]
    [InlineData("app", "do", true)]
    [InlineData("app", "new", true)]
    [InlineData("app", "gone", false)]
    public void A_method_is_known_if_one_executor_has_announced_it(string app, string method, bool isKnown) =>
        Of([("app", "", 2), ("app", "do", 2), ("app", "new", 1)]).IsKnown(app, method).Should().Be(isKnown);

    [Fact]
    public void A_pause_of_a_method_in_an_app_holds_it_in_that_app_alone()
    {
        var routing = Of([], new TaskPause { AppName = "app", Method = "do" });

        routing.HoldOf("app", "do").Should().Be(TaskHold.Paused);
        routing.HoldOf("app", "other").Should().Be(TaskHold.None);
        routing.HoldOf("other", "do").Should().Be(TaskHold.None);
        routing.IsPaused("app", _now).Should().BeFalse("only a method of it is paused");
    }

    [Theory]
    [InlineData(1, "one executor lacks it")]
    [InlineData(2, "all executors know it")]
    public void A_pause_of_a_method_in_all_apps_holds_it_in_each(int knowing, string why)
    {
        var routing = Of([("app", "", 2), ("app", "do", knowing)], new TaskPause { Method = "do" });

        routing.HoldOf("app", "do").Should().Be(TaskHold.Paused, why);
        routing.HoldOf("other", "do").Should().Be(TaskHold.Paused, "it has no executors");
        routing.HoldOf("app", "new").Should().Be(TaskHold.UnknownCommand, "it is another method");
    }

    [Fact]
    public void A_pause_of_a_method_comes_before_an_unknown_command()
    {
        var routing = Of(
            [("app", "", 2), ("app", "some", 1)],
            new TaskPause { AppName = "app", Method = "some" },
            new TaskPause { AppName = "app", Method = "none" });

        routing.HoldOf("app", "some").Should().Be(TaskHold.Paused, "one executor knows it");
        routing.HoldOf("app", "none").Should().Be(TaskHold.Paused, "no executor knows it");
    }

    [Fact]
    public void A_pause_in_all_apps_comes_before_a_command_that_no_executor_knows() =>
        Of([("app", "", 1)], new TaskPause { Method = "none" }).HoldOf("app", "none").Should().Be(TaskHold.Paused);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_order_of_pauses_does_not_matter(bool isReversed)
    {
        TaskPause[] pauses = [new() { Method = "do" }, new() { AppName = "app", Method = "do" }];

        var routing = Of([("other", "", 1)], isReversed ? [.. pauses.Reverse()] : pauses);

        routing.HoldOf("app", "do").Should().Be(TaskHold.Paused);
        routing.HoldOf("other", "do").Should().Be(TaskHold.Paused);
        routing.HoldOf("third", "do").Should().Be(TaskHold.Paused);
    }

    [Fact]
    public void A_pause_of_an_app_holds_none_of_its_tasks_but_leaves_it_out_of_claims()
    {
        var routing = Of([], new TaskPause { AppName = "app" });

        routing.IsPaused("app", _now).Should().BeTrue();
        routing.IsPaused("other", _now).Should().BeFalse();
        routing.HoldOf("app", "do").Should().Be(TaskHold.None);
        routing.Holds.Should().BeEmpty("a pause of an app is a fact of the claim");
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void A_pause_counts_until_its_end(int seconds, bool isInForce)
    {
        var until = _now.AddSeconds(seconds);

        var routing = Of(
            [],
            new TaskPause { AppName = "app", Until = until },
            new TaskPause { AppName = "other", Method = "do", Until = until });

        routing.IsPaused("app", _now).Should().Be(isInForce);
        routing.HoldOf("other", "do").Should().Be(isInForce ? TaskHold.Paused : TaskHold.None);
    }

    [Fact]
    public void A_pause_of_an_app_ends_without_another_decision()
    {
        var routing = Of([], new TaskPause { AppName = "app", Until = _now.AddSeconds(1) });

        routing.IsPaused("app", _now.AddSeconds(1)).Should().BeFalse();
    }

    [Fact]
    public void A_pause_does_not_change_whether_a_command_is_known()
    {
        var routing = Of(
            [("app", "", 1), ("app", "do", 1)],
            new TaskPause { AppName = "app", Method = "do" },
            new TaskPause { AppName = "app", Method = "gone" });

        routing.IsKnown("app", "do").Should().BeTrue();
        routing.IsKnown("app", "gone").Should().BeFalse();
    }

    [Fact]
    public void A_queued_task_gets_the_hold_of_its_method()
    {
        var routing = Of([("app", "", 1)], new TaskPause { Method = "paused" });

        routing.Decide("app", Queued("new")).Hold.Should().Be(TaskHold.UnknownCommand);
        routing.Decide("app", Queued("paused")).Hold.Should().Be(TaskHold.Paused);
        routing.Decide("other", Queued("new")).Hold.Should().Be(TaskHold.None);
        routing.Decide("app", Queued("new") with { State = TaskState.Executing }).Hold.Should()
            .Be(TaskHold.None, "only queued tasks are held");
    }

    [Fact]
    public void A_task_that_was_put_back_stays_held_even_if_no_announcement_says_so() =>
        TaskRouting.Empty.Decide("app", Queued("new") with { Hold = TaskHold.UnknownCommand }).Hold.Should()
            .Be(TaskHold.UnknownCommand);

    [Fact]
    public void A_task_that_was_put_back_is_held_by_a_pause_of_its_method() =>
        Of([], new TaskPause { Method = "new" })
            .Decide("app", Queued("new") with { Hold = TaskHold.UnknownCommand }).Hold.Should().Be(TaskHold.Paused);

    [Fact]
    public void A_hold_that_only_a_later_version_knows_stays() =>
        Of([], new TaskPause { Method = "new" })
            .Decide("app", Queued("new") with { Hold = (TaskHold)3 }).Hold.Should().Be((TaskHold)3);

    /// <summary>As it is stored: the most specific entry counts.</summary>
    [Fact]
    public void The_stored_form_has_an_entry_for_each_app_and_method_that_a_fact_names()
    {
        var routing = Of(
            [("app", "", 2), ("app", "do", 2), ("app", "new", 1)],
            new TaskPause { AppName = "app", Method = "paused" },
            new TaskPause { Method = "everywhere" },
            new TaskPause { AppName = "app" });

        routing.Holds.Should().BeEquivalentTo(new Dictionary<(string, string), TaskHold>
        {
            [("app", "")] = TaskHold.UnknownCommand,
            [("app", "do")] = TaskHold.None,
            [("app", "new")] = TaskHold.UnknownCommand,
            [("app", "paused")] = TaskHold.Paused,
            [("", "everywhere")] = TaskHold.Paused,
        });
    }

    private static TaskRouting Of(
        (string AppName, string Method, int Executors)[] known, params TaskPause[] pauses) => new(known, pauses, _now);

    private static ManagedState Queued(string method) =>
        new() { JobId = "job", ResultRun = "job", State = TaskState.Queued, Method = method };
}
