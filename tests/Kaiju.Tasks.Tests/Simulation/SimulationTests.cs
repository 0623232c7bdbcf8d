using Kaiju.Tasks.Lifecycle;
using Xunit.Abstractions;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The engine's guarantees under every kind of fault, in lives that a seed decides.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int SeedsEach = 50;
    private const int SeedsToCatch = 400;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Every_simulated_life_keeps_every_guarantee(int part)
    {
        var reached = Enum.GetValues<RoutingEvent>().ToDictionary(routing => routing, _ => 0);
        for (var seed = part * SeedsEach; seed < (part + 1) * SeedsEach; seed++)
        {
            var outcome = SimulatedLife.Run(seed);
            if (outcome.Fault is not null)
            {
                output.WriteLine(outcome.Story);
            }

            outcome.Fault.Should().BeNull(
                $"seed {seed} keeps every guarantee; ./simulate.sh --seeds 1 --from {seed} prints its events");
            foreach (var (routing, count) in outcome.Reached)
            {
                reached[routing] += count;
            }
        }

        output.WriteLine(string.Join(", ", reached));
        reached.Values.Should().OnlyContain(count => count > 0, "a guarantee without its events proves nothing");
    }

    [Fact]
    public void A_seed_produces_the_same_events_each_time() =>
        SimulatedLife.Run(7).Hash.Should().Be(SimulatedLife.Run(7).Hash);

    [Fact]
    public void Managers_that_keep_no_watch_are_caught()
    {
        var caught = Enumerable.Range(0, SeedsToCatch)
            .Select(seed => SimulatedLife.Run(seed, TaskLifecycle.Next, keepsWatch: false))
            .FirstOrDefault(outcome => outcome.Fault is not null);
        caught.Should().NotBeNull("an outage makes every ping old");
        caught!.Fault.Should().StartWith("I11");
        output.WriteLine($"seed {caught.Seed}, {caught.Fault}");
    }

    [Fact]
    public void Each_rule_that_is_removed_is_caught()
    {
        foreach (var (name, rules, routing) in BrokenRules.All)
        {
            var caught = Enumerable.Range(0, SeedsToCatch).Select(seed => SimulatedLife.Run(seed, rules, routing))
                .FirstOrDefault(outcome => outcome.Fault is not null);
            caught.Should().NotBeNull($"without the rule \"{name}\" some life breaks a promise");
            output.WriteLine($"{name}: seed {caught!.Seed}, {caught.Fault}");
        }
    }
}
