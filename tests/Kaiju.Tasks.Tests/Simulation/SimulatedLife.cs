using System.Security.Cryptography;
using System.Text;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage.Memory;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>How one simulation went.</summary>
/// <param name="Seed">What it came from; the same again gives the same.</param>
/// <param name="Fault">The first promise that was broken, and how; null if none was.</param>
/// <param name="Story">All that happened.</param>
/// <param name="Executions">How many handlers ran.</param>
/// <param name="Extra">How many of them again.</param>
internal sealed record SimulatedOutcome(int Seed, string? Fault, string Story, int Executions, int Extra)
{
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Story)));
}

/// <summary>
/// The engine's life for some minutes, from one seed: managers, executors and clients over one store, everything
/// between them going wrong; then a quiet time in which all must come to its end.
/// </summary>
internal static class SimulatedLife
{
    private const int StackSize = 16 * 1024 * 1024;
    private static readonly TimeSpan _longestQuiet = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(7);

    public static SimulatedOutcome Run(int seed) => Run(seed, TaskLifecycle.Next);

    /// <summary>
    /// On a thread of its own, since that of a test brings a context with it that would take continuations elsewhere.
    /// </summary>
    public static SimulatedOutcome Run(int seed, LifecycleFunction rules, bool keepsWatch = true)
    {
        SimulatedOutcome? outcome = null;
        var thread = new Thread(() => outcome = Live(new World(seed, rules, keepsWatch), seed), StackSize)
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
            world.Checker.Executions.Extra);
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
        while (world.Checker.Fault is null && agenda.Now < bound && !(client.HasCreatedAll
            && world.Checker.HaveAllRested()))
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
            // Now and then a look at everything, so that what changes without a transition is seen as well.
            var look = world.Agenda.Now + _look;
            while (world.Checker.Fault is null && world.Agenda.RunNext(look < end ? look : end))
            {
            }

            world.Checker.CompareAll(world.Store);
        }
    }
}
