using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>What is left at a task's end.</summary>
/// <param name="open">Opens an empty store.</param>
public abstract class StoreNotificationTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>
    /// Notifications of long ago are deleted, the oldest first, and no more at once than was asked for.
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
