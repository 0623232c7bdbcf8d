using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Kaiju.Tasks.Contracts;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Every store agrees with the columns' declarations: written values are read back, and a new task has the declared
/// values.
/// </summary>
public abstract class TaskColumnTests
{
    private static readonly DateTimeOffset _start = new(2024, 6, 15, 12, 0, 30, TimeSpan.Zero);

    public static TheoryData<TaskState> States => [.. Enum.GetValues<TaskState>()];

    private protected abstract ValueTask<OpenedStore> OpenAsync(DateTimeOffset start);

    /// <summary>
    /// Every property of a state, including future ones, is stored when a task is imported and when it changes.
    /// </summary>
    [Theory]
    [MemberData(nameof(States))]
    public async Task Every_property_of_a_state_is_read_as_it_was_written(TaskState state)
    {
        await using var opened = await OpenAsync(_start);
        var random = new Random((int)state);
        var task = Checked.Import(new TaskRecord
        {
            Definition = new TaskDefinition
            {
                Id = "t",
                Commands = [new("do"), new("do")],
                Group = "g",
                GroupId = "h",
                UserId = "u",
                Enabled = false,
            },
            Managed = Drawn(random) with { State = state, Stage = 1, Wait = WaitKind.Timer },
            Created = _start - TimeSpan.FromDays(1),
            Result = [JsonElement.Parse("1")],
        });
        var answer = (await opened.Store.ImportAsync([task], [], default))[0];
        answer.Result.Should().Be(CreateResult.Created);
        var expected = TaskImport.State(task, answer.Claim ?? Guid.Empty, _start, new LifecycleRules()) with
        {
            Claim = null,
            LastReport = null,
        };

        Text((await opened.Store.GetAsync("t", default))!.Managed).Should().Be(Text(expected));

        var changed = (await opened.Store.GetAsync("t", default))!.Definition with { Description = "changed" };
        (await opened.Store.UpdateAsync(changed, 0, default)).Result.Should().Be(UpdateResult.Updated);
        Text((await opened.Store.GetAsync("t", default))!.Managed).Should().Be(Text(expected));
    }

    /// <summary>A column that a creation does not write has its declared value in every task.</summary>
    [Fact]
    public void A_new_task_has_the_declared_value_in_each_column()
    {
        var definitions = new[]
        {
            new TaskDefinition { Commands = [new("do")] },
            new TaskDefinition { Commands = [new("do")], RunAt = TaskDefinition.OnDemand, Enabled = false },
            new TaskDefinition
            {
                Commands = [new("do"), new("do")],
                Group = "g",
                GroupId = "h",
                UserId = "u",
                Notify = true,
                NextTask = "n",
            },
            new TaskDefinition { Commands = [new("do")], MaxRetries = 3, Priority = 4, System = true },
        };
        foreach (var definition in definitions.Select(definition => Checked.Definition(definition with { Id = "t" })))
        {
            var row = new TaskRow
            {
                Rules = new LifecycleRules(),
                Definition = definition,
                Created = DateTimeOffset.UnixEpoch,
                State = TaskLifecycle.Create(definition, "job", DateTimeOffset.UnixEpoch),
            };
            foreach (var column in TaskRowColumns.Definition.Concat(TaskRowColumns.State))
            {
                var (isFixed, expected) = column.OfNew switch
                {
                    NewValue.Null => (true, null),
                    NewValue.Zero or NewValue.False => (true, 0L),
                    NewValue.One => (true, 1L),
                    NewValue.Clock => (true, (object?)0L),
                    _ => (false, null),
                };
                if (isFixed)
                {
                    var value = column.Value(row);
                    (value is null ? null : (object)Convert.ToInt64(value, CultureInfo.InvariantCulture))
                        .Should().Be(expected, "that is what a creation leaves out for the column {0}", column.Name);
                }
            }
        }
    }

    [Fact]
    public void Every_column_that_a_task_is_read_from_is_declared_once()
    {
        TaskRowColumns.Read.Select(column => column.Name).Should().OnlyHaveUniqueItems();
        TaskRowColumns.State.Select(column => column.Name).Should().OnlyHaveUniqueItems();
    }

    /// <summary>A state with a value other than its default in every property.</summary>
    private static ManagedState Drawn(Random random)
    {
        var state = new ManagedState { JobId = "", ResultRun = "" };
        foreach (var property in typeof(ManagedState).GetProperties().Where(property => property.CanWrite))
        {
            property.SetValue(state, Drawn(property, random));
        }

        return state;
    }

    private static object Drawn(PropertyInfo property, Random random)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return type switch
        {
            { IsEnum: true } => Enum.GetValues(type).Cast<object>().Last(),
            _ when type == typeof(int) => random.Next(1, 100),
            _ when type == typeof(long) => random.NextInt64(1, 1L << 40),
            _ when type == typeof(bool) => true,
            _ when type == typeof(string) => $"text {random.Next()}",
            _ when type == typeof(Guid) => Guid.NewGuid(),
            _ when type == typeof(DateTimeOffset) =>
                _start - TimeSpan.FromTicks(random.NextInt64(1, TimeSpan.TicksPerDay)),
            _ when type == typeof(TimeSpan) => TimeSpan.FromTicks(random.NextInt64(1, TimeSpan.TicksPerDay)),
            _ when type == typeof(TaskError) => TaskError.Create(TaskErrorKind.Handler, $"error {random.Next()}"),
            _ when type == typeof(RunChanges) => RunChanges.FromJson($$$"""{"kws":{"a":{{{random.Next(1, 100)}}}}}"""),
            _ when type == typeof(ReportId) => new ReportId(Guid.NewGuid(), random.Next(1, 100), ReportKind.Failed),
            _ => throw new InvalidOperationException($"Draw a {type.Name} for {property.Name}."),
        };
    }

    /// <summary>Every property; an error as its JSON.</summary>
    private static string Text(ManagedState state) => string.Join('\n', typeof(ManagedState).GetProperties()
        .Select(property => (property.Name, Value: property.GetValue(state)))
        .Select(
            property => $"{property.Name}: "
                + (property.Value is TaskError error
                    ? error.Json.GetRawText()
                    : JsonSerializer.Serialize(property.Value))));
}
