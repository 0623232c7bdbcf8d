using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Xunit;

namespace Kaiju.Tasks.Contracts;

/// <summary>Reading of stored values: JSON as it was written, texts unchanged, and the history of runs.</summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreReadingTests(OpenStore open) : StoreSuite(open)
{
    /// <summary>Numbers keep their spelling, objects the order of their keys, and texts their characters.</summary>
    [Theory]
    [InlineData("1.0")]
    [InlineData("1E400")]
    [InlineData("123456789012345678901234567890.10")]
    [InlineData("-0")]
    [InlineData("""{"b": 1.50,  "a": [ 1,2 ]}""")]
    [InlineData("\"\\u00e9 é 𝄞 \\ud834\\udd1e \\\" \\\\ \\/ \\n ' $1 %s @x :y\"")]
    [InlineData("\"\"")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task Json_is_kept_as_it_was_written(string json)
    {
        await using var opened = await OpenAsync();
        var value = Json.Of(json);
        var kws = Json.Of($$"""{"a": {{json}}}""");
        var definition = Checked.Definition(Task("t", 3) with
        {
            KwsJson = kws,
            MetaJson = kws,
            Notify = true,
            Commands = [new("do", value), new("do", kws), new MessageCommand()],
        });
        await opened.Store.CreateAsync([definition], OnConflict.Fail, default);
        var claimed = Assert.Single(
            await opened.Queue.ClaimAsync(
                new ClaimRequest { Executor = Executor, MaxTasks = 1, MaxBytes = 1_000_000 }, default));
        Assert.Equal(kws.GetRawText(), claimed.Commands[1].ParamsJson.GetRawText());
        Assert.Equal(kws.GetRawText(), claimed.Kws.GetRawText());
        await RecordAsync(opened, claimed, 0, StageOutcome.Completed(value));
        await RecordAsync(opened, claimed, 1, StageOutcome.Completed(value));
        await RecordAsync(opened, claimed, 2, StageOutcome.WaitForMessage());
        await opened.Store.SendMessageAsync("t", value, default);

        var task = (await opened.Store.GetAsync("t", default))!;
        Assert.Equal(TaskState.Finished, task.State);
        Assert.Equal([json, json, json], task.Result.Texts());
        Assert.Equal(definition.ToJson(), task.Definition.ToJson());
        Assert.Equal(
            [json, json, json],
            (await opened.Store.GetStagesAsync("t", default)).Select(stage => stage.Result).Texts());
        Assert.Equal(
            [json, json, json],
            Assert.Single(
                (await opened.Store.ListNotificationsAsync(new NotificationQuery(), null, 10, default)).Items).Result
                .Texts());
    }

    /// <summary>A text with any characters is stored unchanged, and found again.</summary>
    [Theory]
    [InlineData("it's \"quoted\"; drop table tasks; --")]
    [InlineData("100% _like_ \\ [a-z]*")]
    [InlineData("é𝄞 中文 \u202e")]
    [InlineData("A")]
    public async Task Texts_are_stored_unchanged(string text)
    {
        await using var opened = await OpenAsync();
        var definition = Checked.Definition(
            Task(text, 1) with { AppName = text, Group = text, GroupId = text, UserId = text, Description = text });

        await opened.Store.CreateAsync([definition, Checked.Definition(Task("a", 1))], OnConflict.Fail, default);
        Assert.Equal(definition.ToJson(), (await opened.Store.GetAsync(text, default))!.Definition.ToJson());
        Assert.Equal([text], (await ListAsync(opened, new TaskQuery { IdPrefix = text })).Select(task => task.Id));
        Assert.Equal(
            [text], (await ListAsync(opened, new TaskQuery { AppName = definition.AppName })).Select(task => task.Id));
        Assert.Equal(
            text,
            Assert.Single(
                await opened.Queue.ClaimAsync(
                    new ClaimRequest
                    {
                        Executor = Executor.With(e => e.Apps, [definition.AppName!]),
                        MaxTasks = 1,
                        MaxBytes = 1,
                    },
                    default)).Id);
    }

    /// <summary>
    /// Of many runs, the store answers those that have ended, that are not current, or that never existed.
    /// </summary>
    [Fact]
    public async Task Runs_that_have_ended_are_found_among_many()
    {
        await using var opened = await OpenAsync();
        var definitions = Enumerable.Range(0, 1_000)
            .Select(i => Checked.Definition(Task($"t{i}", 1) with { RunAt = TaskDefinition.OnDemand })).ToList();
        await opened.Store.CreateAsync(definitions, OnConflict.Fail, default);
        var runs = (await ListAsync(opened, new TaskQuery())).Select(task => new AwaitedRun(task.Id, task.JobId))
            .ToList();
        Assert.Empty(await opened.Store.FindEndedRunsAsync(runs, default));
        Assert.Empty(await opened.Store.FindEndedRunsAsync([], default));

        await opened.Store.CancelAsync(runs[7].TaskId, default);
        await opened.Store.ResetAsync(runs[500].TaskId, default);
        await opened.Store.DeleteAsync(runs[999].TaskId, default);

        var ended = await opened.Store.FindEndedRunsAsync(runs, default);
        Assert.Equal([runs[7], runs[500], runs[999]], ended.OrderBy(runs.IndexOf));
    }

    /// <summary>Earlier runs that are kept have their results; the others are deleted.</summary>
    [Fact]
    public async Task Earlier_runs_keep_their_results()
    {
        await using var opened = await OpenAsync();
        await opened.Store.CreateAsync([Checked.Definition(Task("t", 2))], OnConflict.Fail, default);
        for (var run = 0; run < 5; run++)
        {
            await opened.Store.QueueDueAsync(1, default);
            var claimed = Assert.Single(
                await opened.Queue.ClaimAsync(
                    new ClaimRequest { Executor = Executor, MaxTasks = 1, MaxBytes = 1 }, default));
            await RecordAsync(opened, claimed, 0, StageOutcome.Completed(Json.Of($"{run}")));
            await RecordAsync(opened, claimed, 1, StageOutcome.Completed(Json.Of($"{run + 100}")));
            await opened.Store.ResetAsync("t", default);
        }

        var runs = await opened.Store.ListRunsAsync("t", default);
        Assert.Equal([["4", "104"], ["3", "103"], ["2", "102"]], runs.Select(run => run.Result.Texts()));
        Assert.Equal(["3", "103"], (await opened.Store.GetRunAsync("t", runs[1].JobId, default))!.Result.Texts());
        Assert.Empty((await opened.Store.GetAsync("t", default))!.Result);
    }
}
