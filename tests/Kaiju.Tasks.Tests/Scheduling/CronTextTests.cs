using Cronos;
using CsCheck;
using Kaiju.Tasks.Scheduling;

namespace Kaiju.Tasks.Tests.Scheduling;

/// <summary>The accepted cron expressions, and the errors of the others.</summary>
public sealed class CronTextTests
{
    private const string Minutes =
        "it must be *, */n, or a list of numbers (0 to 59), ranges a-b and steps a/n and a-b/n.";
    private const string Hours =
        "it must be *, */n, or a list of numbers (0 to 23), ranges a-b and steps a/n and a-b/n.";
    private const string Days =
        "it must be *, ?, */n, L, L-n, LW, nW, or a list of numbers (1 to 31), ranges a-b and steps a/n and a-b/n.";
    private const string Weekdays =
        "it must be *, ?, */n, nL, n#1 to n#5, or a list of numbers (0 to 7 or SUN to SAT), ranges a-b and steps a/n "
            + "and a-b/n.";

    private const string List = "in a list may stand only numbers, ranges a-b and steps a/n and a-b/n.";
    private const string Questions = "\"?\" may stand only in the two day fields.";
    private const string NoYears =
        "With six fields the first is seconds; a field for years, as AWS and Quartz have, is not supported.";

    public static TheoryData<string, string> Refused => new()
    {
        { "", "it has 0 fields; it must have five fields, six with seconds first, or be a macro such as @daily." },
        { "* * *", "it has 3 fields; it must have five fields, six with seconds first, or be a macro such as @daily." },
        { "0 0 0 * * * 2026", "it has 7 fields; it must have five, or six with seconds first. A field for years, as "
            + "Quartz has, is not supported." },
        { "* * * * * * * *", "it has 8 fields; it must have five fields, six with seconds first, or be a macro such "
            + "as @daily." },
        { "0 10 * * ? *", $"the field \"month\" is \"?\"; {Questions} {NoYears}" },
        { "0 10 ? * MON-FRI *", $"the field \"hour\" is \"?\"; {Questions} {NoYears}" },
        { "15 10 ? * 6L 2002-2005", $"the field \"hour\" is \"?\"; {Questions} {NoYears}" },
        { "? * * * *", $"the field \"minute\" is \"?\"; {Questions}" },
        { "H H * * *", $"the field \"minute\" is \"H\"; {Minutes}" },
        { "0 H(0-7) * * *", $"the field \"hour\" is \"H(0-7)\"; {Hours}" },
        { "H/15 * * * *", $"the field \"minute\" is \"H/15\"; {Minutes}" },
        { "61 * * * *", "the field \"minute\" is \"61\"; 61 is not from 0 to 59." },
        { "0 24 * * *", "the field \"hour\" is \"24\"; 24 is not from 0 to 23." },
        { "0 0 0 * *", "the field \"day of month\" is \"0\"; 0 is not from 1 to 31." },
        { "0 0 * 13 *", "the field \"month\" is \"13\"; 13 is not from 1 to 12." },
        { "0 0 * * 8", "the field \"day of week\" is \"8\"; 8 is not from 0 to 7." },
        { "*/60 * * * *", "the field \"minute\" is \"*/60\"; a step must be from 1 to 59." },
        { "*/0 * * * *", "the field \"minute\" is \"*/0\"; a step must be from 1 to 59." },
        { "0 0/24 * * *", "the field \"hour\" is \"0/24\"; a step must be from 1 to 23." },
        { "*/10,*/15 * * * *", $"the field \"minute\" is \"*/10,*/15\"; {List}" },
        { "0 0 1,L * *", $"the field \"day of month\" is \"1,L\"; {List}" },
        { "0 0 L,1 * *", $"the field \"day of month\" is \"L,1\"; {List}" },
        { "0 0 * * 1,5L", $"the field \"day of week\" is \"1,5L\"; {List}" },
        { "1,,2 * * * *", $"the field \"minute\" is \"1,,2\"; {List}" },
        { "0 0 32W * *", $"the field \"day of month\" is \"32W\"; {Days}" },
        { "0 0 * * 5#6", $"the field \"day of week\" is \"5#6\"; {Weekdays}" },
        { "0 0 * * MONDAY", $"the field \"day of week\" is \"MONDAY\"; {Weekdays}" },
        { "every day", "it has 2 fields; it must have five fields, six with seconds first, or be a macro such as "
            + "@daily." },
        { "0 0 * *\n*", "it has 4 fields; it must have five fields, six with seconds first, or be a macro such as "
            + "@daily." },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void The_error_of_an_expression_names_the_field_and_its_allowed_values(string cron, string fault)
    {
        var parse = () => CronSchedule.Parse(cron);

        parse.Should().Throw<FormatException>().WithMessage($"cron is \"{cron}\": {fault}");
    }

    [Theory]
    [InlineData("@sometimes")]
    [InlineData("@reboot")]
    public void An_unknown_macro_is_refused_with_a_list_of_the_known_ones(string cron)
    {
        var parse = () => CronSchedule.Parse(cron);

        parse.Should().Throw<FormatException>().WithMessage(
            $"cron is \"{cron}\"; it must have five fields, six with seconds first, or be one of @yearly, @annually, "
            + "@monthly, @weekly, @daily, @midnight, @hourly, @every_minute, @every_second.");
    }

    /// <summary>Every form that docs/scheduling.md names, alone and in lists.</summary>
    [Theory]
    [InlineData("*/59 */23 */31 */12 */7")]
    [InlineData("0,5-10,20/5,30-40/2 22-2 1,15 jan-MAR,12 sun,2-4")]
    [InlineData("0 0 L * ?")]
    [InlineData("0 0 L-3 * *")]
    [InlineData("0 0 LW * *")]
    [InlineData("0 0 15W * *")]
    [InlineData("0 0 ? * 5L")]
    [InlineData("0 0 ? * FRI#2")]
    [InlineData("  0\t0  * * *  ")]
    [InlineData("30 0 12 * * MON-FRI")]
    public void A_documented_form_is_accepted(string cron) =>
        CronSchedule.Parse(cron).Next(TaskTestHost.Start).Should().NotBeNull();

    /// <summary>
    /// Accepts the same expressions as Cronos, except a question mark in the wrong field and Jenkins' H.
    /// </summary>
    [Fact]
    public void Any_text_is_read_as_Cronos_reads_it_or_refused()
    {
        var item = Pick(
            "*",
            "?",
            "L",
            "W",
            "LW",
            "H",
            "0",
            "1",
            "7",
            "8",
            "12",
            "23",
            "31",
            "59",
            "60",
            "-",
            "/",
            ",",
            "#",
            "MON",
            "jan",
            "SAT",
            "L-",
            "5",
            "00",
            "x",
            "\u0661");
        var field = Gen.OneOf(
            item.Array[1, 4].Select(items => string.Concat(items)), Pick("*", "1", "1-5", "*/5", "1,2"));
        var cron = field.Array[4, 7].Select(fields => string.Join(' ', fields));
        cron.Sample(
            text =>
            {
                var isTaken = IsTaken(() => CronSchedule.Parse(text).Next(TaskTestHost.Start));
                var fields = text.Split(' ');
                var format = fields.Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard;
                var isKnown = fields.Length is 5 or 6 && !text.Contains('H', StringComparison.Ordinal)
                    && !fields.Where((_, index) => index != fields.Length - 3 && index != fields.Length - 1)
                        .Any(each => each.StartsWith('?'));
                return isTaken == (isKnown && IsTaken(() => CronExpression.Parse(text, format)));
            },
            iter: 30_000);
    }

    [Theory]
    [InlineData("? 10 * * *")]
    [InlineData("H H * * *")]
    public async Task An_invalid_expression_fails_only_its_own_task(string cron)
    {
        await using var host = new TaskTestHost();
        var (bad, good) = (
            new TaskDefinition { Id = "bad", Cron = cron, Commands = [new("do")] },
            new TaskDefinition { Id = "good", Commands = [new("do")] });

        await host.Client.Awaiting(client => client.CreateAsync(bad)).Should().ThrowAsync<TaskValidationException>();
        var created = await host.Client.CreateManyAsync([bad, good]);
        var imported = await host.Client.ImportAsync([Record(bad with { Id = "b2" }), Record(good with { Id = "g2" })]);
        await host.Client.Awaiting(client => client.UpdateAsync("good", task => task with { Cron = cron })).Should()
            .ThrowAsync<TaskValidationException>();
        FluentActions.Invoking(() => bad.GetNextRuns(host.Now, 3)).Should().Throw<FormatException>();

        created.Select(answer => answer.Result).Should().Equal(CreateResult.Invalid, CreateResult.Created);
        imported.Select(answer => answer.Result).Should().Equal(CreateResult.Invalid, CreateResult.Created);
        created[0].Faults.Should().ContainSingle().Which.Should().StartWith($"cron is \"{cron}\": the field ");
    }

    /// <summary>Windows names are mapped where the machine can; the IANA name is stored.</summary>
    [Theory]
    [InlineData("FLE Standard Time", "Europe/Kiev")]
    [InlineData("UTC", "UTC")]
    [InlineData("Europe/Riga", "Europe/Riga")]
    [InlineData("Etc/GMT+3", "Etc/GMT+3")]
    public async Task A_time_zone_is_stored_under_its_iana_name(string given, string stored)
    {
        await using var host = new TaskTestHost();
        var definition = new TaskDefinition
        {
            Id = "t",
            Cron = "0 3 * * *",
            CronTimeZone = given,
            RunAt = TaskDefinition.OnDemand,
            Commands = [new("do")],
        };

        await host.Client.CreateAsync(definition);
        await host.Client.ImportAsync([Record(definition with { Id = "imported" })]);

        (await host.GetAsync("t")).Definition.CronTimeZone.Should().Match(
            zone => zone == stored || zone == stored.Replace("Kiev", "Kyiv", StringComparison.Ordinal));
        (await host.GetAsync("imported")).Definition.CronTimeZone.Should().Be(
            (await host.GetAsync("t")).Definition.CronTimeZone);
        definition.GetNextRuns(host.Now, 3).Should().Equal(
            (await host.GetAsync("t")).Definition.GetNextRuns(host.Now, 3));
    }

    private static Gen<string> Pick(params string[] texts) =>
        Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    private static TaskRecord Record(TaskDefinition definition) => TaskRecord.FromJson(definition.ToJson());

    private static bool IsTaken(Action parse)
    {
        try
        {
            parse();
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
