using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Engine;

public sealed class NotificationTests
{
    [Fact]
    public async Task A_task_that_asks_for_it_leaves_a_notification_at_its_end()
    {
        await using var host = NewHost();
        var done = await host.RunAsync(new TaskDefinition { Id = "t", UserId = "u", Notify = true, Commands = [new("do")] });
        await host.RunAsync(new TaskDefinition { Id = "silent", Commands = [new("do")] });

        var notification = (await host.Client.ListNotificationsAsync().ToListAsync()).Should().ContainSingle().Subject;

        notification.Should().Match<TaskNotification>(n =>
            n.Message == "task.result" && n.TaskId == "t" && n.JobId == done.JobId && n.UserId == "u" && n.State == TaskState.Finished
            && n.IsFinal && n.ExitCode == TaskExitCode.Success && n.Error == null && n.Created == TaskTestHost.Start);
        notification.Result.Texts().Should().Equal("\"done\"");
    }

    [Fact]
    public async Task Every_failure_leaves_one_that_says_whether_it_is_final()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "t", Notify = true, MaxRetries = 2, Commands = [new("nobody")] });

        var notifications = await host.Client.ListNotificationsAsync().ToListAsync();

        notifications.Select(n => n.IsFinal).Should().Equal(true, false, false);
        notifications.Should().AllSatisfy(n => n.Error!.Kind.Should().Be(TaskErrorKind.UnknownCommand));
    }

    [Fact]
    public async Task A_retry_that_is_given_up_is_told_as_final()
    {
        await using var host = new TaskTestHost(configure: options => options.SuspendedLifetime = TimeSpan.FromHours(1));
        await host.RunAsync(new TaskDefinition { Id = "t", Notify = true, MaxRetries = 1, RetryDelay = TimeSpan.FromHours(2), Commands = [new("nobody")] });

        await host.AdvanceAsync(TimeSpan.FromHours(2));

        (await host.Client.ListNotificationsAsync().ToListAsync()).Select(n => n.IsFinal).Should().Equal(true, false);
    }

    [Fact]
    public async Task A_cancel_leaves_one_too()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "t", Notify = true, Commands = [new MessageCommand()] });

        await host.Client.CancelAsync("t");

        (await host.Client.ListNotificationsAsync().ToListAsync()).Should().ContainSingle()
            .Which.Should().Match<TaskNotification>(n => n.IsFinal && n.ExitCode == TaskExitCode.Aborted && n.Error!.Kind == TaskErrorKind.Cancelled);
    }

    [Fact]
    public async Task They_are_listed_newest_first_by_user_and_by_task_across_pages()
    {
        await using var host = NewHost();
        for (var i = 0; i < 450; i++)
        {
            await host.Client.CreateAsync(new TaskDefinition { Id = $"t{i}", UserId = i % 3 == 0 ? "u" : "v", Notify = true, Commands = [new("do")] });
            await host.RunUntilIdleAsync();
        }

        var all = await host.Client.ListNotificationsAsync().ToListAsync();
        all.Should().HaveCount(450);
        all.Select(n => n.TaskId).Should().Equal(Enumerable.Range(0, 450).Reverse().Select(i => $"t{i}"));
        (await host.Client.ListNotificationsAsync(new NotificationQuery { UserId = "u" }).ToListAsync()).Should().HaveCount(150).And.OnlyContain(n => n.UserId == "u");
        (await host.Client.ListNotificationsAsync(new NotificationQuery { TaskId = "t7" }).ToListAsync()).Should().ContainSingle();
        (await host.Client.ListNotificationsAsync(new NotificationQuery { TaskId = "t7", UserId = "u" }).ToListAsync()).Should().BeEmpty();
    }

    private static TaskTestHost NewHost() => new(tasks => tasks.AddCommand("do", () => "done"));
}
