using System.Text.Json;
using Kaiju.Tasks.Lifecycle;
using Xunit;

namespace Kaiju.Tasks.Contracts.Conformance;

/// <summary>The state transitions recorded from the Python original, repeated through the store's ports.</summary>
/// <param name="open">The function that opens an empty store.</param>
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

    /// <summary>Repeats a recorded case and compares the task's state, results and notifications.</summary>
    /// <param name="name">The name of the case.</param>
    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Conformance")]
    public async Task A_step_changes_tasks_as_recorded(string name)
    {
        var vector = TransitionData.Cases[name];
        if (vector.TryGetProperty("informational", out var informational) && informational.GetBoolean())
        {
            return;
        }

        await PlayAsync(vector);
    }

    /// <summary>Two queueings of a task are distinguished by their events, even at the same instant.</summary>
    [Fact]
    public Task A_task_that_is_queued_twice_in_the_same_instant_is_dispatched_twice() => PlayAsync(Json.Of("""
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

    /// <summary>The package contains every recorded case.</summary>
    [Fact]
    public void Every_recorded_case_is_shipped() =>
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
