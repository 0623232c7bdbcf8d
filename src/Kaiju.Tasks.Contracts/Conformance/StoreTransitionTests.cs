using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Xunit;

namespace Kaiju.Tasks.Contracts.Conformance;

/// <summary>The recorded transitions of the Python original, driven through the store's ports.</summary>
/// <param name="open">Opens an empty store.</param>
public abstract class StoreTransitionTests(OpenStore open)
{
    private static readonly LifecycleRules _rules = new()
    {
        RetryDelay = RetryDelay.None,
        AbortOverdueQueued = true,
        SuspendedLifetime = TimeSpan.FromHours(24),
    };

    /// <summary>The names of the cases.</summary>
    public static TheoryData<string> Names => [.. TransitionData.Cases.Keys];

    /// <summary>Carries a recorded case out.</summary>
    /// <param name="name">The case.</param>
    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Conformance")]
    public async Task A_task_goes_from_before_to_after(string name)
    {
        var vector = TransitionData.Cases[name];
        if (vector.TryGetProperty("informational", out var informational) && informational.GetBoolean())
        {
            return;
        }

        await PlayAsync(vector);
    }

    /// <summary>Two sendings of a task are told apart by what happened, whatever the clock says.</summary>
    [Fact]
    public Task A_task_that_is_queued_twice_in_the_same_instant_is_sent_twice() => PlayAsync(Json.Of("""
        {
          "before": {"status": "IDLE", "max_retries": 1},
          "steps": [
            {"op": "cycle"},
            {"op": "write_stage", "task": "T", "executor": "E1", "stage": 0, "result": {"code": 1, "message": "boom"},
             "error": true, "dispatch": 1},
            {"op": "cycle"},
            {"op": "cycle"}
          ],
          "after": {"status": "QUEUED", "stage": 0, "queued_at": "now", "exec_deadline": "now+300",
            "status_change": "now", "retries": 1, "next_run": null},
          "sent": [
            {"task": "T", "step": 0, "methods": ["do", "do.2"], "stage": 0, "stages": 2, "result": [],
             "exec_deadline": "now+300", "job_id": "job-T"},
            {"task": "T", "step": 2, "methods": ["do", "do.2"], "stage": 0, "stages": 2, "result": [],
             "exec_deadline": "now+300", "job_id": "job-T"}
          ]
        }
        """));

    /// <summary>None of the recorded cases is missing.</summary>
    [Fact]
    public void The_cases_that_ship_are_all_there() =>
        Assert.Equal(TransitionData.Root.GetProperty("count").GetInt32(), TransitionData.Cases.Count);

    private async Task PlayAsync(JsonElement vector)
    {
        await using var store = await open(_rules, TransitionVector.Start);
        var run = new TransitionCase(
            store, new TransitionVector(vector, TransitionData.Root.GetProperty("defaults")));
        await run.PutInAsync();
        await run.PlayAsync();
        await run.CheckAsync();
    }
}
