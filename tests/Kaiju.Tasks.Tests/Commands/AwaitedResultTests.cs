using Kaiju.Tasks.Commands;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Tests.Commands;

/// <summary>A handler's result is awaited whatever its declared type; the stage ends only after that work.</summary>
public sealed class AwaitedResultTests
{
    public static TheoryData<string, Func<Task<int>, Delegate>, string> Held => new()
    {
        { "object holding a task of a value", work => object () => work, "7" },
        { "object holding a task", work => object () => Nothing(work), "null" },
        { "object holding a value task", work => object () => new ValueTask(work), "null" },
        { "object holding a value task of a value", work => object () => new ValueTask<int>(work), "7" },
        { "object holding a task of a task", work => object () => Inside(work), "7" },
        { "object holding a task of an object that is a task", work => object () => Task.FromResult<object>(
            work), "7" },
        { "task of an object that is a task", work => () => Task.FromResult<object>(work), "7" },
        { "task of an object that is a value task", work => () => Task.FromResult<object>(
            new ValueTask<int>(work)), "7" },
        { "value task of an object that is a task", work => () => new ValueTask<object>(work), "7" },
        { "an interface of tasks", work => IAsyncResult () => work, "7" },
        { "a task that holds a task", work => Task () => Inside(work), "null" },
        { "a class derived from a task", work => Derived () => new Derived(work), "7" },
    };

    [Theory]
    [MemberData(nameof(Held))]
    public async Task The_stage_waits_for(string what, Func<Task<int>, Delegate> handler, string result)
    {
        var work = new TaskCompletionSource<int>();
        await using var host = new TaskTestHost(tasks => tasks.AddCommand("do", handler(work.Task)));

        var stage = host.Services.GetRequiredService<CommandCatalog>()
            .Find("do")!(host.Services, null!, default, default).AsTask();

        stage.IsCompleted.Should().BeFalse(what);
        work.SetResult(7);
        ((StageOutcome.Done)await stage.Soon()).Result.GetRawText().Should().Be(result, what);
    }

    [Fact]
    public async Task A_failed_task_returned_as_object_fails_the_stage()
    {
        await using var host = new TaskTestHost(
            tasks =>
                tasks.AddCommand("do", object () => Task.FromException(new InvalidOperationException("not today"))));

        (await host.RunAsync(new TaskDefinition { Commands = [new("do")] })).Error!.Message.Should().Be("not today");
    }

    [Fact]
    public async Task Results_are_written_by_their_runtime_type()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("object", object () => new { a = 1 })
            .AddCommand("none", object? () => null)
            .AddCommand("task", object () => Task.FromResult(new { a = 2 }))
            .AddCommand("type", ValueType () => 3));

        (await host.RunAsync(new TaskDefinition { Commands = [new("object"), new("none"), new("task"), new("type")] }))
            .Result.Texts().Should().Equal("""{"a":1}""", "null", """{"a":2}""", "3");
    }

    private static async Task Nothing(Task work) => await work;

    private static Task<Task<int>> Inside(Task<int> work) => Task.FromResult(work);

    private sealed class Derived : Task<int>
    {
        public Derived(Task<int> work)
            : base(() => work.GetAwaiter().GetResult()) => Start(TaskScheduler.Default);
    }
}
