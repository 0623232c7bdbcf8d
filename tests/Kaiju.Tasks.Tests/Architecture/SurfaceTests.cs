using Kaiju.Tasks.Tests.Docs;

namespace Kaiju.Tasks.Tests.Architecture;

/// <summary>The public surface of the packages.</summary>
public sealed class SurfaceTests
{
    private static readonly Type[] _exported = typeof(ITaskClient).Assembly.GetExportedTypes();

    [Fact]
    public void The_core_offers_at_most_1500_lines()
    {
        var surface = File.ReadAllLines(
            Path.Combine(DocsTests.Root, "src", "Kaiju.Tasks", "PublicAPI.Unshipped.txt"));

        surface.Length.Should().BeLessThanOrEqualTo(1_500);
    }

    [Fact]
    public void Every_exception_has_one_base() => _exported
        .Where(type => type.IsAssignableTo(typeof(Exception)) && type != typeof(KaijuTasksException))
        .Should().OnlyContain(type => type.IsAssignableTo(typeof(KaijuTasksException)) && type.IsSealed)
        .And.HaveCountGreaterThan(5);

    [Fact]
    public void Types_that_only_stores_and_queues_need_have_namespaces_of_their_own()
    {
        var forStores = _exported.Where(type => type.Namespace is "Kaiju.Tasks.Storage" or "Kaiju.Tasks.Queueing"
            or "Kaiju.Tasks.Lifecycle").ToHashSet();

        var shown = from type in _exported
                    where type.Namespace == "Kaiju.Tasks" && type != typeof(KaijuTasksBuilder)
                    from member in type.GetMethods()
                    from used in member.GetParameters().Select(parameter => parameter.ParameterType)
                        .Append(member.ReturnType)
                    where forStores.Contains(used)
                    select $"{type.Name}.{member.Name}: {used.Name}";

        shown.Should().BeEmpty("a user meets none of it");
    }

    [Fact]
    public void Printed_data_shows_sizes_and_no_contents()
    {
        var secret = Json.Of("""{"password":"hunter2"}""");
        var definition = new TaskDefinition
        {
            Id = "t",
            KwsJson = secret,
            MetaJson = secret,
            Commands = [new("do", secret), new("do", new { password = "hunter2" })],
        };
        var record = new TaskRecord
        {
            Definition = definition,
            Managed = new ManagedState { State = TaskState.Finished, JobId = "j", ResultRun = "j" },
            Created = TaskTestHost.Start,
            Result = [secret],
        };
        var printed = new object[]
        {
            definition,
            definition.Commands[0],
            definition.Commands[1],
            record,
            new TaskPage { Items = [record] },
            TaskRun.Of("t", record.Managed, record.Result),
            StageOutcome.Completed(secret),
            new Kaiju.Tasks.Lifecycle.TaskEvent.MessageSent(secret),
        };

        printed.Should().OnlyContain(data => !data.ToString()!.Contains("hunter2", StringComparison.Ordinal));
        definition.ToString().Should().Be("Task \"t\": do, do (kws: 22 bytes)");
        record.ToString().Should().Be("Task \"t\": Finished at stage 0 of 2 (run j, 1 results)");
        definition.Commands[0].ToString().Should().Be("do (params: 22 bytes)");
        new TaskDefinition { Commands = null! }.ToString().Should().Be("Task \"\":  (kws: none)");
    }
}
