using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Scheduling;
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

        await using var store = await open(_rules, TransitionCase.Start);
        var run = new TransitionCase(store, vector, TransitionData.Root.GetProperty("defaults"));
        await run.PutInAsync();
        await run.PlayAsync();
        await run.CheckAsync();
    }

    /// <summary>None of the recorded cases is missing.</summary>
    [Fact]
    public void The_cases_that_ship_are_all_there() => Assert.Equal(TransitionData.Root.GetProperty("count").GetInt32(), TransitionData.Cases.Count);
}
