using System.Security.Cryptography;
using System.Text;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage.Memory;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The outcome of one simulation.</summary>
/// <param name="Seed">The seed; the same seed gives the same outcome.</param>
/// <param name="Fault">The first broken guarantee; null if none was broken.</param>
/// <param name="Story">All events.</param>
/// <param name="Executions">The number of handler executions.</param>
/// <param name="Extra">The number of repeated executions.</param>
/// <param name="Reached">The numbers of events about routing.</param>
internal sealed record SimulatedOutcome(
    int Seed,
    string? Fault,
    string Story,
    int Executions,
    int Extra,
    IReadOnlyDictionary<RoutingEvent, int> Reached)
{
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Story)));
}

/// <summary>
/// The engine's life for some minutes, from one seed: managers, executors and clients over one store, with faults
/// between them. Then a quiet time follows in which every task must end.
/// </summary>
internal static class SimulatedLife
{
    private const int StackSize = 16 * 1024 * 1024;
    private static readonly TimeSpan _longestQuiet = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(7);

    public static SimulatedOutcome Run(int seed) => Run(seed, TaskLifecycle.Next);

    /// <summary>Runs on a thread of its own: a test's context would move continuations to other threads.</summary>
    public static SimulatedOutcome Run(
        int seed, LifecycleFunction rules, RoutingFunctions? routing = null, bool keepsWatch = true)
    {
        SimulatedOutcome? outcome = null;
        var thread = new Thread(() => outcome = Live(new World(seed, rules, routing, keepsWatch), seed), StackSize)
        {
            IsBackground = true,
        };
        thread.Start();
        thread.Join();
        return outcome!;
    }

    private static SimulatedOutcome Live(World world, int seed)
    {
        try
        {
            Live(world);
        }
        catch (Exception e)
        {
            world.Checker.Fail("simulation", e.ToString());
        }

        return new SimulatedOutcome(
            seed,
            world.Checker.Fault,
            world.Story.ToString(),
            world.Checker.Executions.Count,
            world.Checker.Executions.Extra,
            world.Checker.Routing.Reached);
    }

    private static void Live(World world)
    {
        var agenda = world.Agenda;
        var end = agenda.Now + agenda.Between(480, 900);
        var client = new ClientProcess(world) { Until = end };
        world.Start();
        client.Start();
        RunUntil(world, end);
        world.CalmDown();
        var bound = end + _longestQuiet;
        while (world.Checker.Fault is null && agenda.Now < bound && !(client.HasCreatedAll && client.HasLiftedAll
            && world.IsDeployed && world.Checker.HaveAllRested()))
        {
            RunUntil(world, agenda.Now + _look);
        }

        if (agenda.LeftThread is { } place)
        {
            world.Checker.Fail("simulation", place);
        }

        if (world.Checker.Fault is null)
        {
            world.Checker.Conclude(world.Store);
        }
    }

    private static void RunUntil(World world, DateTimeOffset end)
    {
        while (world.Checker.Fault is null && world.Agenda.Now < end)
        {
            // Sometimes everything is compared, so that changes without a transition are seen as well.
            var look = world.Agenda.Now + _look;
            while (world.Checker.Fault is null && world.Agenda.RunNext(look < end ? look : end))
            {
            }

            world.Checker.CompareAll(world.Store);
        }
    }
}
