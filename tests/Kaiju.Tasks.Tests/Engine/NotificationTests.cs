using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Tests.Engine;

public sealed class NotificationTests
{
    [Fact]
    public async Task A_task_with_Notify_leaves_a_notification_at_its_end()
    {
        await using var host = NewHost();
        var done = await host.RunAsync(
            new TaskDefinition { Id = "t", UserId = "u", Notify = true, Commands = [new("do")] });
        await host.RunAsync(new TaskDefinition { Id = "silent", Commands = [new("do")] });

        var notification = (await host.Client.ListNotificationsAsync().ToListAsync()).Should().ContainSingle().Subject;

        notification.Should().Match<TaskNotification>(n =>
            n.Message == "task.result" && n.TaskId == "t" && n.JobId == done.JobId && n.UserId == "u"
                && n.State == TaskState.Finished
            && n.IsFinal && n.ExitCode == TaskExitCode.Success && n.Error == null && n.Created == TaskTestHost.Start);
        notification.Result.Texts().Should().Equal("\"done\"");
    }

    [Fact]
    public async Task Every_failure_leaves_a_notification_that_shows_whether_it_is_final()
    {
        await using var host = new TaskTestHost(
            configure: options => options.UnknownCommands = UnknownCommands.Fail);
        await host.RunAsync(new TaskDefinition { Id = "t", Notify = true, MaxRetries = 2, Commands = [new("nobody")] });

        var notifications = await host.Client.ListNotificationsAsync().ToListAsync();

        notifications.Select(n => n.IsFinal).Should().Equal(true, false, false);
        notifications.Should().AllSatisfy(n => n.Error!.Kind.Should().Be(TaskErrorKind.UnknownCommand));
    }

    [Fact]
    public async Task An_abandoned_retry_leaves_a_final_notification()
    {
        await using var host = new TaskTestHost(
            configure: options => (options.SuspendedLifetime, options.UnknownCommands) =
                (TimeSpan.FromHours(1), UnknownCommands.Fail));
        await host.RunAsync(
            new TaskDefinition
            {
                Id = "t",
                Notify = true,
                MaxRetries = 1,
                RetryDelay = TimeSpan.FromHours(2),
                Commands = [new("nobody")],
            });

        await host.AdvanceAsync(TimeSpan.FromHours(2));

        (await host.Client.ListNotificationsAsync().ToListAsync()).Select(n => n.IsFinal).Should().Equal(true, false);
    }

    [Fact]
    public async Task A_cancel_leaves_a_notification()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "t", Notify = true, Commands = [new MessageCommand()] });

        await host.Client.CancelAsync("t");

        (await host.Client.ListNotificationsAsync().ToListAsync()).Should().ContainSingle()
            .Which.Should().Match<TaskNotification>(
                n => n.IsFinal && n.ExitCode == TaskExitCode.Aborted && n.Error!.Kind == TaskErrorKind.Cancelled);
    }

    [Fact]
    public async Task Notifications_are_listed_newest_first_by_user_and_by_task_across_pages()
    {
        await using var host = NewHost();
        for (var i = 0; i < 450; i++)
        {
            await host.Client.CreateAsync(
                new TaskDefinition
                {
                    Id = $"t{i}",
                    UserId = i % 3 == 0 ? "u" : "v",
                    Notify = true,
                    Commands = [new("do")],
                });
            await host.RunUntilIdleAsync();
        }

        var all = await host.Client.ListNotificationsAsync().ToListAsync();
        all.Should().HaveCount(450);
        all.Select(n => n.TaskId).Should().Equal(Enumerable.Range(0, 450).Reverse().Select(i => $"t{i}"));
        (await host.Client.ListNotificationsAsync(new NotificationQuery { UserId = "u" }).ToListAsync())
            .Should().HaveCount(150).And.OnlyContain(n => n.UserId == "u");
        (await host.Client.ListNotificationsAsync(new NotificationQuery { TaskId = "t7" }).ToListAsync())
            .Should().ContainSingle();
        (await host.Client.ListNotificationsAsync(new NotificationQuery { TaskId = "t7", UserId = "u" }).ToListAsync())
            .Should().BeEmpty();
    }

    [Fact]
    public async Task Notifications_can_be_marked_as_read()
    {
        await using var host = NewHost();
        for (var i = 0; i < 5; i++)
        {
            await host.RunAsync(
                new TaskDefinition { Id = $"t{i}", UserId = "u", Notify = true, Commands = [new("do")] });
        }

        (await host.Client.MarkReadAsync([1, 3, 3, 99])).Should().Be(2);
        (await host.Client.MarkReadAsync([1])).Should().Be(0);

        (await host.Client.ListNotificationsAsync(new NotificationQuery { UserId = "u", IsRead = false }).ToListAsync())
            .Select(n => n.Id).Should().Equal(5, 4, 2);
        (await host.Client.ListNotificationsAsync(new NotificationQuery { IsRead = true }).ToListAsync())
            .Select(n => n.Id).Should().Equal(3, 1);
    }

    [Fact]
    public async Task A_sink_gets_each_notification_and_a_sink_that_throws_gets_it_again()
    {
        var sink = new Sink(failures: 2);
        await using var host = new RunningHost(
            tasks =>
            {
                tasks.Services.AddSingleton<INotificationSink>(sink);
                tasks.AddCommand("do", () => "done");
            },
            realTime: true);
        for (var i = 0; i < 5; i++)
        {
            await host.Client.CreateAsync(new TaskDefinition { Id = $"t{i}", Notify = true, Commands = [new("do")] });
        }

        await sink.Has(5).Soon();

        sink.Delivered.Should().Equal(1, 2, 3, 4, 5);
        var said = host.Logs.Lines.Where(line => line.Level >= LogLevel.Warning || line.Event.Id == 322).ToList();
        said.Select(line => (line.Event.Id, line.Level)).Should().Equal(
            (320, LogLevel.Error), (322, LogLevel.Information));
        said[0].Exception.Should().BeOfType<IOException>();
        said[0].Text.Should().Match(
            $"Sink {typeof(Sink).FullName} failed on notification 1 of task t?; retrying. Later notifications wait "
                + $"for it.");
    }

    [Fact]
    public async Task A_sink_that_fails_for_three_minutes_is_logged_four_times()
    {
        await using var host = NewHost();
        await host.RunAsync(new TaskDefinition { Id = "t", Notify = true, Commands = [new("do")] });
        var sink = new Sink(failures: 180);
        var loop = new NotificationLoop(
            host.Store, [sink], host.Clock, host.Options, host.Services.GetRequiredService<StoreOutages>(),
            host.Services.GetRequiredService<ILogger<NotificationLoop>>());
        for (var second = 0; second < 180; second++)
        {
            (await loop.DeliverAsync(default)).Should().Be(new Delivery(0, HasFailed: true));
            host.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        (await loop.DeliverAsync(default)).Should().Be(new Delivery(1, HasFailed: false));

        host.Logs.Lines.Where(line => line.Event.Id is 320 or 321 or 322).Select(line => line.Text).Should().Equal(
            $"Sink {typeof(Sink).FullName} failed on notification 1 of task t; retrying. Later notifications wait for "
                + $"it.",
            $"Sink {typeof(Sink).FullName} has been failing for 00:01:00 (61 times), now on notification 1 of task t: "
                + $"The mail server is away.",
            $"Sink {typeof(Sink).FullName} has been failing for 00:02:00 (121 times), now on notification 1 of task "
                + $"t: The mail server is away.",
            $"Sink {typeof(Sink).FullName} works again after 00:03:00 and 180 failures.");
    }

    private sealed class Sink(int failures) : INotificationSink
    {
        private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _failures = failures;
        private int _wanted = int.MaxValue;

        public List<long> Delivered { get; } = [];

        public Task Has(int count)
        {
            lock (Delivered)
            {
                _wanted = count;
                Look();
            }

            return _enough.Task;
        }

        public ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken)
        {
            lock (Delivered)
            {
                if (_failures-- > 0)
                {
                    throw new IOException("The mail server is away.");
                }

                Delivered.Add(notification.Id);
                Look();
            }

            return ValueTask.CompletedTask;
        }

        private void Look()
        {
            if (Delivered.Count >= _wanted)
            {
                _enough.TrySetResult();
            }
        }
    }

    private static TaskTestHost NewHost() => new(tasks => tasks.AddCommand("do", () => "done"));
}
