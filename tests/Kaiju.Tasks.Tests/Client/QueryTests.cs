using System.Globalization;

namespace Kaiju.Tasks.Tests.Client;

public sealed class QueryTests
{
    [Fact]
    public async Task Tasks_are_selected_by_several_states_by_their_end_and_by_the_present_method()
    {
        await using var host = await NewHostAsync();

        (await IdsAsync(host, new TaskQuery { States = [TaskState.Idle, TaskState.Failed] }))
            .Should().Equal("failed", "idle", "off", "retried");
        (await IdsAsync(host, new TaskQuery { States = [] })).Should().BeEmpty("no state is one of none");
        (await IdsAsync(host, new TaskQuery { IsFinal = true })).Should().Equal("done", "failed");
        (await IdsAsync(host, new TaskQuery { State = TaskState.Failed, IsFinal = false }))
            .Should().Equal("retried");
        (await IdsAsync(host, new TaskQuery { IsEnabled = false })).Should().Equal("off");
        (await IdsAsync(host, new TaskQuery { Method = "fail" })).Should().Equal("failed", "retried");
        (await IdsAsync(host, new TaskQuery { Method = MessageCommand.MethodName })).Should().Equal("waits");
    }

    [Fact]
    public async Task The_newest_come_first_across_pages()
    {
        await using var host = await NewHostAsync();
        var ids = new List<string>();
        TaskCursor? after = null;
        do
        {
            var page = await host.Client.ListPageAsync(new TaskQuery { NewestFirst = true }, after, limit: 2);
            ids.AddRange(page.Items.Select(task => task.Id));
            after = page.Next is { } next ? TaskCursor.Parse(next.ToString()) : null;
        }
        while (after is not null);

        ids.Should().Equal((await IdsAsync(host, new TaskQuery())).AsEnumerable().Reverse());
        ids.Should().HaveCount(6);
    }

    [Fact]
    public async Task Tasks_are_counted_up_to_a_limit()
    {
        await using var host = await NewHostAsync();

        (await host.Client.CountAsync()).Should().Be(6);
        (await host.Client.CountAsync(new TaskQuery { State = TaskState.Failed })).Should().Be(2);
        (await host.Client.CountAsync(new TaskQuery { IdPrefix = "none" })).Should().Be(0);
        (await host.Client.CountAsync(atMost: 4)).Should().Be(4);
        await FluentActions.Awaiting(() => host.Client.CountAsync(atMost: 0)).Should()
            .ThrowAsync<ArgumentOutOfRangeException>();
    }

    [Fact]
    public async Task A_query_that_contradicts_itself_is_refused_by_every_member_that_takes_one()
    {
        await using var host = await NewHostAsync();
        var both = new TaskQuery { State = TaskState.Idle, States = [TaskState.Failed] };
        var unknown = new TaskQuery { States = [(TaskState)9] };

        foreach (var (query, message) in new[]
        {
            (both, "The query has both State and States; set one of them.*"),
            (unknown, "The query has the state 9; it must be one of IDLE, *"),
        })
        {
            await FluentActions.Awaiting(() => host.Client.ListPageAsync(query)).Should()
                .ThrowAsync<ArgumentException>().WithMessage(message);
            await FluentActions.Awaiting(() => host.Client.CountAsync(query)).Should()
                .ThrowAsync<ArgumentException>().WithMessage(message);
            await FluentActions.Awaiting(async () => await host.Client.ListAsync(query).ToListAsync()).Should()
                .ThrowAsync<ArgumentException>().WithMessage(message);
        }
    }

    [Fact]
    public async Task Notifications_are_paged_by_a_cursor()
    {
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", () => 1));
        for (var i = 0; i < 5; i++)
        {
            await host.RunAsync(new TaskDefinition { Id = $"t{i}", Notify = true, Commands = [new("do")] });
        }

        var first = await host.Client.ListNotificationPageAsync(limit: 2);
        var next = NotificationCursor.Parse(first.Next!.Value.ToString());
        var second = await host.Client.ListNotificationPageAsync(after: next, limit: 10);

        first.Items.Select(left => left.TaskId).Should().Equal("t4", "t3");
        second.Items.Select(left => left.TaskId).Should().Equal("t2", "t1", "t0");
        second.Next.Should().BeNull();
        await FluentActions.Awaiting(() => host.Client.ListNotificationPageAsync(limit: 1001)).Should()
            .ThrowAsync<ArgumentOutOfRangeException>();
    }

    [Theory]
    [InlineData("t")]
    [InlineData("")]
    [InlineData("a b/c?&=ü€")]
    public void A_cursor_reads_back_from_its_text_in_every_culture(string id)
    {
        var cursor = new TaskCursor(TaskTestHost.Start.AddTicks(7), id);
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("ar-SA");
            var text = cursor.ToString();
            text.Should().MatchRegex("^[A-Za-z0-9_-]+$");
            TaskCursor.Parse(text).Should().Be(cursor);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("!")]
    [InlineData("abc")]
    [InlineData("OTk5OTk5OTk5OTk5OTk5OTk5OTkgdA")]
    [InlineData("LTEgdA")]
    [InlineData("MzE1NTM3ODk3NTk5OTk5OTk5OTkgdA")]
    public void Other_text_is_not_a_cursor(string? text)
    {
        TaskCursor.TryParse(text, out _).Should().BeFalse();
        FluentActions.Invoking(() => TaskCursor.Parse(text!)).Should().Throw<FormatException>()
            .WithMessage("The text is not a cursor*");
        NotificationCursor.TryParse(text, out _).Should().BeFalse();
        FluentActions.Invoking(() => NotificationCursor.Parse(text!)).Should().Throw<FormatException>();
    }

    private static async Task<List<string>> IdsAsync(TaskTestHost host, TaskQuery query) =>
        [.. (await host.Client.ListAsync(query).ToListAsync()).Select(task => task.Id)];

    private static async Task<TaskTestHost> NewHostAsync()
    {
        var host = new TaskTestHost(tasks => tasks
            .AddCommand("do", () => 1)
            .AddCommand("fail", int () => throw new InvalidOperationException("boom")));
        foreach (var definition in new TaskDefinition[]
        {
            new() { Id = "done", Commands = [new("do")] },
            new() { Id = "failed", Commands = [new("do"), new("fail")] },
            new() { Id = "idle", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] },
            new() { Id = "off", Enabled = false, Commands = [new("do")] },
            new()
            {
                Id = "retried",
                MaxRetries = 1,
                RetryDelay = TimeSpan.FromHours(1),
                Commands = [new("fail")],
            },
            new() { Id = "waits", Commands = [new("do"), new MessageCommand()] },
        })
        {
            await host.Client.CreateAsync(definition);
            await host.RunUntilIdleAsync();
            host.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        return host;
    }
}
