using System.Data;
using System.Data.Common;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Tests.Client;

/// <summary>Calls every member of the client, so that a test covers all members, including future ones.</summary>
internal static class ClientMembers
{
    private const string InTransaction = " in a transaction";

    /// <summary>Members whose first call of the store changes nothing.</summary>
    private static readonly HashSet<string> _readFirst =
    [
        nameof(ITaskClient.GetAsync),
        nameof(ITaskClient.ListAsync),
        nameof(ITaskClient.ListPageAsync),
        nameof(ITaskClient.CountAsync),
        nameof(ITaskClient.ListNotificationsAsync),
        nameof(ITaskClient.ListNotificationPageAsync),
        nameof(ITaskClient.ListRunsAsync),
        nameof(ITaskClient.ListPausesAsync),
        nameof(ITaskClient.GetStagesAsync),
        nameof(ITaskClient.WaitAsync),
        nameof(ITaskClient.UpdateAsync),
        nameof(ITaskClient.SetEnabledAsync),
    ];

    public static IReadOnlyList<MethodInfo> All { get; } = [.. typeof(ITaskClient).GetMethods()];

    public static TheoryData<string> Names { get; } = new(All.SelectMany(NamesOf));

    /// <summary>True for a member that is called with a transaction of the caller.</summary>
    public static bool JoinsTransaction(string member) => member.EndsWith(InTransaction, StringComparison.Ordinal);

    public static bool ReadsFirst(string member) => _readFirst.Contains(Find(member).Name);

    /// <summary>The operation that an exception of the member names.</summary>
    public static string Operation(string member)
    {
        var method = Find(member);
        var isOfTask = method.GetParameters().Any(
            parameter => parameter.Name == "taskId" || parameter.ParameterType == typeof(TaskDefinition));
        return isOfTask ? $"{method.Name} of task \"t\"" : method.Name;
    }

    /// <summary>True for members that create tasks and need an id that is not taken.</summary>
    public static bool Creates(string member) => Find(member).Name.StartsWith("Create", StringComparison.Ordinal)
        || Find(member).Name == nameof(ITaskClient.ImportAsync);

    /// <summary>Calls a member; of a stream it reads the first item.</summary>
    public static async Task CallAsync(this ITaskClient client, string member, CancellationToken cancellationToken) =>
        await client.BeginCall(member, null, cancellationToken);

    /// <summary>Begins a call and awaits nothing, so that the caller may block until it has ended.</summary>
    public static Task BeginCall(
        this ITaskClient client,
        string member,
        DbTransaction? transaction,
        CancellationToken cancellationToken = default)
    {
        var method = Find(member);
        method = method.IsGenericMethodDefinition ? method.MakeGenericMethod(typeof(string)) : method;
        var answer = method.Invoke(
            client,
            [.. method.GetParameters().Select(
                parameter => parameter.Name == "jobId" ? null
                    : parameter is { Name: "query", HasDefaultValue: false } ? new TaskQuery { AppName = "t" }
                    : parameter.ParameterType == typeof(CreateOptions) ? OptionsOf(member, transaction)
                    : ArgumentOf(parameter.ParameterType, cancellationToken))]);
        return answer switch
        {
            Task task => task,
            IAsyncEnumerable<object> stream => stream.GetAsyncEnumerator(cancellationToken).MoveNextAsync().AsTask(),
            _ => throw new NotSupportedException($"{member} returns {answer}; say here how to await it."),
        };
    }

    private static MethodInfo Find(string member) => All.Single(
        method => NamesOf(method).Contains(member));

    private static IEnumerable<string> NamesOf(MethodInfo method) =>
        method.GetParameters().Any(parameter => parameter.ParameterType == typeof(CreateOptions))
            ? [NameOf(method), NameOf(method) + InTransaction]
            : [NameOf(method)];

    private static CreateOptions? OptionsOf(string member, DbTransaction? transaction) => JoinsTransaction(member)
        ? new CreateOptions { Transaction = transaction ?? new SomeTransaction() }
        : null;

    public static string NameOf(MethodInfo method) =>
        $"{method.Name}({string.Join(", ", method.GetParameters().Select(parameter => parameter.ParameterType.Name))})";

    private static object? ArgumentOf(Type type, CancellationToken cancellationToken) =>
        type switch
        {
            _ when type == typeof(CancellationToken) => cancellationToken,
            _ when type == typeof(string) => "t",
            _ when type == typeof(TaskPause) => new TaskPause { AppName = "t", Reason = "a test" },
            _ when type == typeof(TaskDefinition) => NewDefinition(),
            _ when type == typeof(IEnumerable<TaskDefinition>) => new[] { NewDefinition() },
            _ when type == typeof(IEnumerable<TaskRecord>) => new[] { NewRecord() },
            _ when type == typeof(Func<TaskDefinition, TaskDefinition>) =>
                (Func<TaskDefinition, TaskDefinition>)(definition => definition),
            _ when type == typeof(IReadOnlyList<long>) => new[] { 1L },
            _ when type == typeof(JsonElement) => JsonElement.Parse("1"),
            _ when type == typeof(object) => 1,
            _ when type == typeof(JsonTypeInfo<string>) =>
                JsonTypeInfo.CreateJsonTypeInfo<string>(
                    new JsonSerializerOptions { TypeInfoResolver = new DefaultJsonTypeInfoResolver() }),
            _ when type == typeof(int) => 10,
            _ when Nullable.GetUnderlyingType(type) is not null || type == typeof(TaskQuery)
                || type == typeof(NotificationQuery) || type == typeof(RetryOptions) => null,
            _ when type.IsValueType => Activator.CreateInstance(type),
            _ => throw new NotSupportedException($"There is no argument of type {type}; add one here."),
        };

    private static TaskDefinition NewDefinition() => new() { Id = "t", Commands = [new("do")] };

    private static TaskRecord NewRecord() => TaskRecord.FromJson("""{"id": "t", "commands": [{"method": "do"}]}""");

    private sealed class SomeTransaction : DbTransaction
    {
        public override IsolationLevel IsolationLevel => IsolationLevel.ReadCommitted;

        protected override DbConnection? DbConnection => null;

        public override void Commit()
        {
        }

        public override void Rollback()
        {
        }
    }
}
