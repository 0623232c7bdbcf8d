using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>Notifications that are stored at a task's end.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreNotificationTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>
    /// Old notifications are deleted, the oldest first, and at most the given number at once.
    /// </summary>
    [Fact]
    public async Task Old_notifications_are_deleted()
    {
        await using var opened = await OpenAsync();
        for (var i = 0; i < 4; i++)
        {
            await opened.Store.CreateAsync(
                [Checked.Definition(Task($"t{i}", 1) with { Notify = true, UserId = "u" })], OnConflict.Fail, default);
            await opened.Store.CancelAsync($"t{i}", default);
            await opened.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(2, await opened.Store.DeleteNotificationsAsync(TimeSpan.FromSeconds(90), 2, default));
        Assert.Equal(1, await opened.Store.DeleteNotificationsAsync(TimeSpan.FromSeconds(90), 2, default));
        Assert.Equal(0, await opened.Store.DeleteNotificationsAsync(TimeSpan.FromSeconds(90), 2, default));
        Assert.Equal(
            ["t3"],
            (await opened.Store.ListNotificationsAsync(
                new NotificationQuery { UserId = "u" }, null, 10, default)).Items.Select(left => left.TaskId));
        Assert.Equal(["t3"], (await opened.Store.ListUndeliveredAsync(10, default)).Select(left => left.TaskId));
    }
}
