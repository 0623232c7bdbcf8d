using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of lists: queries, pages, and the places in them.</summary>
internal static class PageJson
{
    public static void Write(Utf8JsonWriter writer, TaskPage page)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("tasks");
        foreach (var task in page.Tasks)
        {
            RecordJson.WriteTask(writer, task);
        }

        writer.WriteEndArray();
        writer.WritePropertyName("next");
        if (page.Next is { } next)
        {
            Write(writer, next);
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WriteEndObject();
    }

    public static TaskPage Read(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The page", json, faults))
        {
            return new TaskPage([], null);
        }

        var member = new MemberReader(json, "", faults);
        return new TaskPage(
            member.List("tasks", static (item, _) => RecordJson.ReadTask(item)),
            member.Json("next") is { ValueKind: not JsonValueKind.Undefined } next ? ReadCursor(next, faults) : null);
    }

    public static void Write(Utf8JsonWriter writer, NotificationPage page)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("notifications");
        foreach (var notification in page.Notifications)
        {
            NotificationJson.Write(writer, notification);
        }

        writer.WriteEndArray();
        new MemberWriter(writer, omitsDefaults: false).Long("next", page.Next);
        writer.WriteEndObject();
    }

    public static NotificationPage ReadNotifications(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The page", json, faults))
        {
            return new NotificationPage([], null);
        }

        var member = new MemberReader(json, "", faults);
        return new NotificationPage(
            member.List("notifications", static (item, _) => NotificationJson.Read(item)), member.Long("next"));
    }

    public static void Write(Utf8JsonWriter writer, TaskCursor cursor)
    {
        writer.WriteStartObject();
        UnixTime.Write(writer, "created", cursor.Created);
        writer.WriteString("id", cursor.Id);
        writer.WriteEndObject();
    }

    public static TaskCursor ReadCursor(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The cursor", json, faults))
        {
            return default;
        }

        var member = new MemberReader(json, "", faults);
        return new TaskCursor(member.Time("created") ?? DateTimeOffset.UnixEpoch, member.Needed("id"));
    }

    public static void Write(Utf8JsonWriter writer, TaskQuery query)
    {
        var members = new MemberWriter(writer, omitsDefaults: false);
        writer.WriteStartObject();
        members.Text("status", query.State is { } state ? WireNames<TaskState>.Of(state) : null);
        members.Text("app_name", query.AppName);
        members.Text("group", query.Group);
        members.Text("group_id", query.GroupId);
        members.Text("user_id", query.UserId);
        members.Flag("periodic", query.IsPeriodic);
        members.Text("id_prefix", query.IdPrefix);
        members.Time("created_from", query.CreatedFrom);
        members.Time("created_to", query.CreatedTo);
        writer.WriteEndObject();
    }

    public static TaskQuery ReadQuery(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The query", json, faults))
        {
            return new TaskQuery();
        }

        var member = new MemberReader(json, "", faults);
        return new TaskQuery
        {
            State = member.Word<TaskState>("status"),
            AppName = member.Text("app_name"),
            Group = member.Text("group"),
            GroupId = member.Text("group_id"),
            UserId = member.Text("user_id"),
            IsPeriodic = member.Flag("periodic"),
            IdPrefix = member.Text("id_prefix"),
            CreatedFrom = member.Time("created_from"),
            CreatedTo = member.Time("created_to"),
        };
    }

    public static void Write(Utf8JsonWriter writer, NotificationQuery query)
    {
        var members = new MemberWriter(writer, omitsDefaults: false);
        writer.WriteStartObject();
        members.Text("user_id", query.UserId);
        members.Text("task_id", query.TaskId);
        members.Flag("read", query.IsRead);
        members.Long("before", query.Before);
        writer.WriteEndObject();
    }

    public static NotificationQuery ReadNotificationQuery(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The query", json, faults))
        {
            return new NotificationQuery();
        }

        var member = new MemberReader(json, "", faults);
        return new NotificationQuery
        {
            UserId = member.Text("user_id"),
            TaskId = member.Text("task_id"),
            IsRead = member.Flag("read"),
            Before = member.Long("before"),
        };
    }
}
