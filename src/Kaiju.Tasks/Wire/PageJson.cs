using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>The wire form of lists: queries, pages and cursors.</summary>
internal static class PageJson
{
    public static void Write(Utf8JsonWriter writer, TaskPage page) =>
        Write(writer, page.Items, RecordJson.WriteTask, page.Next?.ToString());

    public static TaskPage Read(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The page", json, faults))
        {
            return new TaskPage { Items = [] };
        }

        var member = new MemberReader(json, "", faults);
        return new TaskPage
        {
            Items = member.List("items", static (item, _) => RecordJson.ReadTask(item)),
            Next = member.Parsed<TaskCursor>("next", "a cursor"),
        };
    }

    public static void Write(Utf8JsonWriter writer, NotificationPage page) =>
        Write(writer, page.Items, NotificationJson.Write, page.Next?.ToString());

    public static NotificationPage ReadNotifications(JsonElement json, List<string> faults)
    {
        if (!MemberReader.IsObject("The page", json, faults))
        {
            return new NotificationPage { Items = [] };
        }

        var member = new MemberReader(json, "", faults);
        return new NotificationPage
        {
            Items = member.List("items", static (item, _) => NotificationJson.Read(item)),
            Next = member.Parsed<NotificationCursor>("next", "a cursor"),
        };
    }

    public static void Write(Utf8JsonWriter writer, TaskQuery query)
    {
        var members = new MemberWriter(writer, omitsDefaults: false);
        writer.WriteStartObject();
        members.Text("status", query.State is { } state ? WireNames<TaskState>.Of(state) : null);
        members.Words("statuses", query.States);
        members.Flag("final", query.IsFinal);
        members.Flag("enabled", query.IsEnabled);
        members.Text("method", query.Method);
        members.Text("app_name", query.AppName);
        members.Text("group", query.Group);
        members.Text("group_id", query.GroupId);
        members.Text("user_id", query.UserId);
        members.Flag("periodic", query.IsPeriodic);
        members.Text("id_prefix", query.IdPrefix);
        members.Time("created_from", query.CreatedFrom);
        members.Time("created_to", query.CreatedTo);
        members.Flag("newest_first", query.NewestFirst, otherwise: false);
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
            States = member.Words<TaskState>("statuses"),
            IsFinal = member.Flag("final"),
            IsEnabled = member.Flag("enabled"),
            Method = member.Text("method"),
            AppName = member.Text("app_name"),
            Group = member.Text("group"),
            GroupId = member.Text("group_id"),
            UserId = member.Text("user_id"),
            IsPeriodic = member.Flag("periodic"),
            IdPrefix = member.Text("id_prefix"),
            CreatedFrom = member.Time("created_from"),
            CreatedTo = member.Time("created_to"),
            NewestFirst = member.Flag("newest_first", otherwise: false),
        };
    }

    public static void Write(Utf8JsonWriter writer, NotificationQuery query)
    {
        var members = new MemberWriter(writer, omitsDefaults: false);
        writer.WriteStartObject();
        members.Text("user_id", query.UserId);
        members.Text("task_id", query.TaskId);
        members.Flag("read", query.IsRead);
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
        };
    }

    private static void Write<T>(
        Utf8JsonWriter writer, IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write, string? next)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("items");
        foreach (var item in items)
        {
            write(writer, item);
        }

        writer.WriteEndArray();
        writer.WriteString("next", next);
        writer.WriteEndObject();
    }
}
