using System.Collections;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;
using Microsoft.Extensions.Options;
using static Kaiju.Tasks.Tests.WrongUses.JsonSubjects;

namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>
/// Values that are not JSON, or would be lost as JSON, are refused where they are given, with their place.
/// </summary>
public sealed class JsonValueTests
{
    [Theory]
    [MemberData(nameof(JsonFaults.Values), MemberType = typeof(JsonFaults))]
    public async Task A_value_is_refused_with_its_place_wherever_it_is_given(
        string wrongUse, Func<object> make, string caller, string? stored)
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", () => make()).AddCommand("later", async Task<object> () =>
        {
            await Task.Yield();
            return make();
        }));
        var one = new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] };
        await host.Client.CreateAsync(one with { Id = "stored" });
        var isObject = !caller.StartsWith('[');

        await RefusesAsync(
            () => host.Client.CreateAsync(one with { Commands = [new("do"), new("do", make())] }),
            "t",
            $"commands[1].params{caller}");
        if (isObject)
        {
            await RefusesAsync(() => host.Client.CreateAsync(one with { Kws = make() }), "t", $"kws{caller}");
            await RefusesAsync(() => host.Client.CreateAsync(one with { Meta = make() }), "t", $"meta{caller}");
        }

        await RefusesAsync(
            () => host.Client.UpdateAsync("stored", task => task with { Commands = [new("do", make())] }),
            "stored",
            $"commands[0].params{caller}");
        await RefusesAsync(() => host.Client.SendMessageAsync("stored", make()), "stored", $"message{caller}");

        var built = new TaskDefinition { Id = "t", Commands = [new("do", make())] };
        await RefusesAsync(() => host.Client.CreateAsync(built), "t", $"commands[0].params{caller}");

        var bad = one with { Id = "b", Commands = [new("do", make())] };
        var many = await host.Client.CreateManyAsync([one with { Id = "a" }, bad, one with { Id = "c" }]);
        many.Select(answer => answer.Result).Should().Equal(
            [CreateResult.Created, CreateResult.Invalid, CreateResult.Created], wrongUse);
        many[1].Faults.Should().Equal([$"commands[0].params{caller}"], wrongUse);

        foreach (var command in new[] { "do", "later" })
        {
            var failed = await host.RunAsync(new TaskDefinition { Commands = [new(command)] });
            failed.Error!.Kind.Should().Be(TaskErrorKind.Result, wrongUse);
            failed.Error.Message.Should().Be(
                $"The result of \"{command}\" is invalid: result{stored ?? caller}", wrongUse);
            failed.Error.Json.GetRawText().Should().NotContain(Secret, wrongUse);
        }
    }

    [Fact]
    public async Task Import_refuses_a_value_for_its_item_alone()
    {
        await using var host = new TaskTestHost();
        TaskRecord Record(string id) => TaskRecord.FromJson($$"""{"id": "{{id}}", "commands": [{"method": "do"}]}""");
        var bad = Record("b");

        var answers = await host.Client.ImportAsync(
        [
            Record("a"),
            bad with { Definition = bad.Definition with { Kws = new Throws() } },
            bad with { Result = [Json.Of("1"), Json.Of("""{"a": ["\u0000"]}""")] },
            bad with { Definition = null! },
            bad with { Managed = null! },
            Record("c"),
        ]);

        answers.Select(answer => answer.Result).Should().Equal(
            CreateResult.Created,
            CreateResult.Invalid,
            CreateResult.Invalid,
            CreateResult.Invalid,
            CreateResult.Invalid,
            CreateResult.Created);
        answers.SelectMany(answer => answer.Faults).Should().Equal(
            "kws.name cannot be read, as its getter threw System.DivideByZeroException: getter.",
            "result[1].a[0] is \"\\u0000\", which contains U+0000 and cannot be stored.",
            "The record lacks its Definition, its Managed or its Result; a stored task has all three.",
            "The record lacks its Definition, its Managed or its Result; a stored task has all three.");
    }

    [Fact]
    public async Task All_faults_are_named_at_once_with_the_exception_of_the_callers_code()
    {
        await using var host = new TaskTestHost();

        var refusal = await FluentActions.Awaiting(() => host.Client.CreateAsync(new TaskDefinition
        {
            Id = "t",
            Kws = new { n = double.NaN },
            Meta = new { n = (1, 2) },
            Commands = [new("do", new Throws()), new("do"), new("do", new { n = float.NaN })],
        })).Should().ThrowAsync<TaskValidationException>();

        refusal.Which.Faults.Select(fault => fault[..fault.IndexOf(' ')])
            .Should().Equal("commands[0].params.name", "commands[2].params.n", "kws.n", "meta.n");
        refusal.Which.InnerException.Should().BeSameAs(Thrown);
    }

    [Fact]
    public void Values_of_types_that_a_source_generator_knows_are_refused_where_they_are_given()
    {
        const string Lost = "it has only fields, which the serializer leaves out; "
            + "use a record or an array, or set IncludeFields in SerializerOptions.";
        var definition = new TaskDefinition { Id = "t", Commands = [] };
        var typed = JsonSubjectsJson.Default.Typed;

        foreach (var (give, place) in new (Action<Typed>, string)[]
        {
            (value => TaskCommand.Create("do", value, typed), "params"),
            (value => definition.WithKws(value, typed), "kws"),
            (value => (definition with { Kws = value }).ToJson(), "kws"),
            (value => (definition with { Commands = [new("do", value)] }).ToJson(), "commands[0].params"),
            (value => JsonSerializer.Serialize(new TaskCommand("do", value)), "params"),
        })
        {
            FluentActions.Invoking(() => give(new Typed(double.NaN))).Should().Throw<TaskValidationException>()
                .Which.Faults.Should().Equal(
                    $"{place}.value is NaN, which JSON cannot hold; give a finite number, null or text.");
        }

        FluentActions.Invoking(() => TaskCommand.Create("do", (1, 2), JsonSubjectsJson.Default.ValueTupleInt32Int32))
            .Should().Throw<TaskValidationException>()
            .Which.Faults.Should().Equal(
                $"params is a ValueTuple<Int32, Int32>, which cannot be written as JSON: {Lost}");
    }

    [Fact]
    public async Task A_disposed_document_is_refused_where_it_is_given()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddJsonCommand("json", (_, _, _) => ValueTask.FromResult(Disposed()))
            .AddCommand("do", Disposed)
            .AddCommand("object", object () => Disposed())
            .AddCommand("middle", () => 1)
            .AddStageMiddleware<DisposesResult>()
            .AddSpecialCommand(new Special()));
        const string Rest = "is a JsonElement whose JsonDocument was disposed of; give a Clone() of the element.";
        await host.Client.CreateAsync(
            new TaskDefinition { Id = "t", RunAt = TaskDefinition.OnDemand, Commands = [new("do")] });

        var one = new TaskDefinition { Id = "u", Commands = [new("do")] };
        await RefusesAsync(() => host.Client.CreateAsync(one with { KwsJson = Disposed() }), "u", $"kws {Rest}");
        await RefusesAsync(
            () => host.Client.CreateAsync(one with { Commands = [new("do", Disposed())] }),
            "u",
            $"commands[0].params {Rest}");
        await RefusesAsync(() => host.Client.SendMessageAsync("t", Disposed()), "t", $"message {Rest}");
        foreach (var command in new[] { "json", "do", "object", "middle", "special" })
        {
            (await host.RunAsync(new TaskDefinition { Commands = [new(command)] })).Error!.Message
                .Should().Be($"The result of \"{command}\" is invalid: result {Rest}");
        }
    }

    public static TheoryData<string, Action<KaijuTasksBuilder>, string> Starting => new()
    {
        {
            "result is a value tuple",
            tasks => tasks.AddCommand("do", () => (1, "a"), "Program.cs", 7),
            "its handler returns a ValueTuple<Int32, String>, which cannot be written as JSON: it has only fields"
        },
        {
            "task of a value tuple",
            tasks => tasks.AddCommand("do", () => Task.FromResult((1, "a")), "Program.cs", 7),
            "its handler returns a Task<ValueTuple<Int32, String>>, which cannot be written as JSON: it has only fields"
        },
        {
            "result holds one",
            tasks => tasks.AddCommand("do", () => new { a = new[] { (1, 2) } }, "Program.cs", 7),
            "which cannot be written as JSON: its a[…] is a ValueTuple<Int32, Int32>; it has only fields"
        },
        {
            "parameter",
            tasks => tasks.AddCommand("do", ((int, int) pair) => { }, "Program.cs", 7),
            "its parameter \"pair\" is a ValueTuple<Int32, Int32>, which cannot be read from JSON: it has only fields"
        },
        {
            "optional parameter",
            tasks => tasks.AddCommand("do", (BigInteger? n = null) => { }, "Program.cs", 7),
            "its parameter \"n\" is a BigInteger, which cannot be read from JSON: the serializer could not read it back"
        },
        {
            "parameter holds one",
            tasks => tasks.AddCommand("do", ([Params] Holder holder) => { }, "Program.cs", 7),
            "its parameter \"holder\" is a Holder, which cannot be read from JSON: its pair is a ValueTuple<Int32, "
            + "Int32>; it has only fields"
        },
        {
            "typed params",
            tasks => tasks.AddJsonCommand(
                "do", (_, _, _) => ValueTask.FromResult(1),
                JsonSubjectsJson.Default.ValueTupleInt32Int32, JsonSubjectsJson.Default.Int32, "Program.cs", 7),
            "its params are a ValueTuple<Int32, Int32>, which cannot be read from JSON: it has only fields"
        },
        {
            "typed result",
            tasks => tasks.AddJsonCommand(
                "do", (_, _, _) => ValueTask.FromResult((1, 2)),
                JsonSubjectsJson.Default.Int32, JsonSubjectsJson.Default.ValueTupleInt32Int32, "Program.cs", 7),
            "its handler returns a ValueTuple<Int32, Int32>, which cannot be written as JSON: it has only fields"
        },
    };

    [Theory]
    [MemberData(nameof(Starting))]
    public async Task A_handlers_type_whose_values_would_be_lost_fails_the_start(
        string wrongUse, Action<KaijuTasksBuilder> build, string message)
    {
        await using var host = new TaskTestHost(build);

        FluentActions.Invoking(() => host.Options).Should().Throw<OptionsValidationException>(wrongUse)
            .Which.Message.Should().StartWith("The command \"do\" of Program.cs:7: ").And.Contain(message);
    }

    [Fact]
    public async Task A_type_whose_values_would_be_lost_is_not_read_from_results_or_kws()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("one", () => new[] { 1, 2 })
            .AddCommand("kws", (StageContext context) => context.GetKws<(int, int)>().Item1)
            .AddCommand("result", (StageContext context) => context.GetResult<(int, int)>(0).Item1));

        foreach (var command in new[] { "kws", "result" })
        {
            (await host.RunAsync(
                new TaskDefinition { Commands = [new("one"), new(command)] })).Error!.Message.Should().Be(
                "ValueTuple<Int32, Int32> cannot be read from JSON: it has only fields, which the serializer "
                + "leaves out; use a record or an array, or set IncludeFields in SerializerOptions.");
        }
    }

    [Fact]
    public async Task Numbers_tuples_and_memory_that_the_serializer_writes_whole_are_kept()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("do", (
                Int128 big, UInt128 large, decimal exact, Half half,
                Tuple<int, string> pair, Memory<byte> bytes, KeyValuePair<string, int> entry, int[] list) =>
                new object[] { big, large, exact, half, pair, bytes, entry, list }));
        var given = new
        {
            big = Int128.MinValue,
            large = UInt128.MaxValue,
            exact = 1.10m,
            half = (Half)1.5,
            pair = Tuple.Create(1, "a"),
            bytes = new Memory<byte>([1, 2]),
            entry = KeyValuePair.Create("k", 1),
            list = new ArraySegment<int>([0, 1, 2], 1, 2),
        };

        var task = await host.RunAsync(new TaskDefinition { Commands = [new("do", given)] });

        task.Result.Texts().Should().Equal(
            "[-170141183460469231731687303715884105728,340282366920938463463374607431768211455,1.10,1.5,"
            + "{\"item1\":1,\"item2\":\"a\"},\"AQI=\",{\"key\":\"k\",\"value\":1},[1,2]]");
    }

    [Fact]
    public async Task A_member_that_is_ignored_or_only_written_does_not_matter()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand("take", ([Params] Area area) => new Ignores(area.Width))
            .AddCommand<Ignores>("read", (Ignores given) => given.Width));

        var task = await host.RunAsync(new TaskDefinition
        {
            Commands = [new("take", new { width = 2 }), new("read", new Ignores(3))],
        });

        task.Result.Texts().Should().Equal("{\"width\":2}", "3");
        await RefusesAsync(
            () => host.Client.CreateAsync(new TaskDefinition { Id = "t", Commands = [new("take", new Area(2))] }),
            "t",
            "commands[0].params.size is a ValueTuple<Int32, Int32>, which cannot be written as JSON: it has only "
            + "fields, "
            + "which the serializer leaves out; use a record or an array, or set IncludeFields in SerializerOptions.");
    }

    [Fact]
    public async Task Options_that_keep_a_type_are_respected()
    {
        await using var host = new TaskTestHost(
            tasks => tasks.AddCommand("do", ((int, int) pair, BigInteger n) => (pair.Item1, $"{n} {pair.Item2}")),
            options => options.SerializerOptions = new JsonSerializerOptions(JsonSerializerDefaults.Web)
            {
                IncludeFields = true,
                Converters = { new BigIntegers() },
                NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
            });

        var given = new { pair = (1, 2), n = BigInteger.Pow(10, 30) };
        var task = await host.RunAsync(
            new TaskDefinition { Kws = new { nan = double.NaN }, Commands = [new("do", given)] });

        task.Result.Texts().Should().Equal("{\"item1\":1,\"item2\":\"1000000000000000000000000000000 2\"}");
        task.Definition.KwsJson.GetRawText().Should().Be("{\"nan\":\"NaN\"}");
    }

    [Fact]
    public async Task A_polymorphic_value_keeps_its_discriminator_wherever_it_is_the_whole_value()
    {
        await using var host = new TaskTestHost(tasks => tasks
            .AddCommand<Shape>("take", (Shape shape) => shape.GetType().Name)
            .AddCommand("declared", Shape () => new Disk(2))
            .AddCommand("object", object () => new Disk(2))
            .AddCommand("face", object () => new Named("n"))
            .AddCommand("read", (StageContext context) =>
                $"{context.GetKws<Shape>()!.GetType().Name} {context.GetResult<Shape>(0)!.GetType().Name}"));
        const string Disk = "{\"$type\":\"disk\",\"radius\":2}";

        var task = await host.RunAsync(new TaskDefinition
        {
            Id = "t",
            Kws = new Disk(2),
            Meta = new Ring(2, 1),
            Commands = [
                new("declared"),
                new("object"),
                new("face"),
                new("take", new Disk(2)),
                new("read"),
                new MessageCommand()],
        });
        await host.Client.SendMessageAsync("t", new Disk(2));
        await host.RunUntilIdleAsync();

        task = await host.GetAsync("t");
        task.Definition.KwsJson.GetRawText().Should().Be(Disk);
        task.Definition.MetaJson.GetRawText().Should().Be("{\"$type\":\"ring\",\"hole\":1,\"radius\":2}");
        task.Definition.Commands[3].ParamsJson.GetRawText().Should().Be(Disk);
        task.Result.Texts().Should().Equal(
            Disk, Disk, "{\"$kind\":1,\"name\":\"n\"}", "\"Disk\"", "\"Disk Disk\"", Disk);
    }

    [Fact]
    public void Guards_do_not_allocate_for_valid_values()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        var value = new Node { Next = new Node() };
        var typed = (JsonTypeInfo<Node>)WritingContracts.Of(options).Declared(typeof(Node));
        static long Cost(Action write)
        {
            write();
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
            {
                write();
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        var unguarded = Cost(() => JsonWriting.Element(
            (value, options), static (writer, item) => JsonSerializer.Serialize(writer, item.value, item.options)));

        Cost(() => JsonWriting.Element(value, options, "params")).Should().BeLessThanOrEqualTo(unguarded);
        Cost(() => JsonWriting.Element(value, typed, "result")).Should().BeLessThanOrEqualTo(unguarded);
    }

    private static async Task RefusesAsync(Func<Task> call, string taskId, string fault)
    {
        var refusal = (await FluentActions.Awaiting(call).Should().ThrowAsync<TaskValidationException>(fault)).Which;
        refusal.Faults.Should().Equal(fault);
        refusal.Message.Should().Be($"Task \"{taskId}\" is invalid: {fault}");
        if (fault.EndsWith("System.DivideByZeroException: getter.", StringComparison.Ordinal))
        {
            refusal.InnerException.Should().BeSameAs(Thrown);
        }
    }
}
