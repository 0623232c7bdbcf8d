using Kaiju.Tasks.Engine;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Queueing.Memory;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Kaiju.Tasks.Tests.Simulation;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests.Engine;

/// <summary>
/// Pings keep their own interval: no option, no other call and no single fault makes a healthy executor look dead.
/// </summary>
public sealed class HeartbeatTests
{
    private static readonly TimeSpan _interval = new KaijuTasksOptions().PingInterval;

    [Fact]
    public async Task Pings_keep_their_interval_however_rarely_claims_are_checked()
    {
        var pings = new PingsOf();
        await using var beating = new Beating(pings, options => options.ClaimCheckInterval = TimeSpan.FromMinutes(1));
        for (var i = 1; i < 6; i++)
        {
            await pings.AtLeast(i);
            await beating.Clock.PassAsync(_interval);
        }

        await pings.AtLeast(6);
    }

    [Fact]
    public async Task A_claim_check_that_is_never_answered_does_not_delay_a_ping()
    {
        var pings = new PingsOf { HangsClaimChecks = true };
        var gate = new Gate();
        await using var beating = new Beating(pings, build: tasks => tasks.AddCommand("slow", gate.PassAsync));
        await beating.Host.Client.CreateAsync(
            new TaskDefinition { Id = "t", MaxExecTimeout = TimeSpan.FromHours(1), Commands = [new("slow")] });
        await pings.AtLeast(1);
        await beating.Host.Executor.Claimer.ClaimAsync(default);
        await gate.Entered;
        for (var i = pings.Count; i < 6; i++)
        {
            await pings.AtLeast(i);
            await beating.Clock.PassAsync(_interval);
        }

        await pings.AtLeast(6);
        pings.ClaimChecks.Should().BeGreaterThan(1, "each is cancelled in its turn");
        gate.Open();
        await beating.Host.Executor.WhenIdleAsync().Soon();
    }

    [Fact]
    public async Task A_ping_without_an_answer_is_cancelled_and_repeated_within_the_lifetime()
    {
        var pings = new PingsOf { Hangs = number => number == 2 };
        await using var beating = new Beating(pings);
        await pings.AtLeast(1);
        await beating.Clock.PassAsync(_interval);
        await pings.AtLeast(2);
        await beating.Clock.PassAsync(_interval);
        await beating.Clock.PassAsync(TimeSpan.FromMilliseconds(100));
        await pings.AtLeast(3);

        beating.Host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 530).Which.Exception
            .Should().BeOfType<TimeoutException>();
        await beating.HasLogged(532);
    }

    [Fact]
    public async Task An_outage_is_reported_once_and_its_end_once()
    {
        var pings = new PingsOf { Fails = number => number is >= 2 and <= 6 };
        await using var beating = new Beating(pings);
        await pings.AtLeast(1);
        await beating.Clock.PassAsync(_interval);
        foreach (var pause in new[] { 100, 200, 400, 800, 1600 })
        {
            await beating.Clock.PassAsync(TimeSpan.FromMilliseconds(pause));
        }

        await pings.AtLeast(7);
        await beating.HasLogged(532);
        beating.Host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 530);
        beating.Host.Logs.Lines.Should().ContainSingle(line => line.Event.Id == 532);
    }

    /// <summary>
    /// For all accepted options, with every second ping unanswered: successful pings are less than a lifetime apart.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_accepted_options_make_a_healthy_executor_look_dead(bool losesEachSecond)
    {
        string? fault = null;
        var thread = new Thread(
            () => fault = Enumerable.Range(0, 300).Select(seed => LiveWith(seed, losesEachSecond))
                .FirstOrDefault(found => found is not null));
        thread.Start();
        thread.Join();
        fault.Should().BeNull();
    }

    private static string? LiveWith(int seed, bool losesEachSecond)
    {
        var agenda = new Agenda(seed, TaskTestHost.Start);
        var options = new KaijuTasksOptions
        {
            PingInterval = Drawn(agenda, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            MaxMissedPings = agenda.Chance(0.5) ? 1 + agenda.Random.Next(4) : 1 + agenda.Random.Next(100),
            ClaimCheckInterval = Drawn(agenda, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)),
            MaxFaultDelay = Drawn(agenda, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)),
        };
        using var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(
            new SimulatedClock(agenda, null, TimeSpan.Zero))
            .AddKaijuTasks().Services.BuildServiceProvider();
        if (services.GetServices<IValidateOptions<KaijuTasksOptions>>().Any(
            validator => validator.Validate(null, options).Failed))
        {
            return null;
        }

        var lifetime = options.Rules.ExecutorLifetime;
        var last = agenda.Now;
        var longest = TimeSpan.Zero;
        var pings = new PingsOf
        {
            Hangs = number => losesEachSecond && number % 2 == 0,
            Came = () => (longest, last) = (agenda.Now - last > longest ? agenda.Now - last : longest, agenda.Now),
        };
        var store = new CountingStore(services.GetRequiredService<ITaskStore>(), pings);
        using var executor = ActivatorUtilities.CreateInstance<TaskExecutor>(services, options, store);
        using var stop = new CancellationTokenSource();
        var beating = ActivatorUtilities.CreateInstance<HeartbeatLoop>(services, executor, options)
            .RunAsync(stop.Token);
        var end = agenda.Now + (lifetime * 5);
        while (agenda.RunNext(end))
        {
        }

        longest = agenda.Now - last > longest ? agenda.Now - last : longest;
        return longest <= lifetime && pings.Count > 4 && agenda.LeftThread is null && !beating.IsCompleted
            ? null
            : $"seed {seed}: PingInterval {options.PingInterval}, MaxMissedPings {options.MaxMissedPings}, "
                + $"MaxFaultDelay {options.MaxFaultDelay}: silent for {longest} of {lifetime} in {pings.Count} pings "
                + $"{agenda.LeftThread} {beating.Exception}";
    }

    /// <summary>A random value between bounds; each order of magnitude is equally likely.</summary>
    private static TimeSpan Drawn(Agenda agenda, TimeSpan least, TimeSpan most) =>
        agenda.Chance(0.2)
            ? least
            : agenda.Chance(0.2) ? most : least * Math.Pow(most / least, agenda.Random.NextDouble());

    /// <summary>An executor that runs only its heartbeats and claim checks.</summary>
    private sealed class Beating : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _loops;

        public Beating(
            PingsOf pings, Action<KaijuTasksOptions>? configure = null, Action<KaijuTasksBuilder>? build = null)
        {
            var memory = new MemoryTaskStore(Clock, new LifecycleRules(), IdSource.Random, TaskLifecycle.Next);
            Host = new TaskTestHost(
                tasks =>
                {
                    tasks.Services.AddSingleton<ITaskQueue>(new MemoryTaskQueue(memory, Clock));
                    build?.Invoke(tasks);
                },
                configure,
                new CountingStore(memory, pings),
                Clock);
            _loops = Task.WhenAll(
                Loop<HeartbeatLoop>().RunAsync(_stop.Token), Loop<ClaimCheckLoop>().RunAsync(_stop.Token));
        }

        public TestClock Clock { get; } = new();

        public TaskTestHost Host { get; }

        public Task HasLogged(int id) =>
            Waiting.Until(() => Task.FromResult(Host.Logs.Lines.Any(line => line.Event.Id == id)));

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _loops.ContinueWith(_ => { }, TaskScheduler.Default).Soon();
            _stop.Dispose();
            await Host.DisposeAsync();
        }

        private T Loop<T>() => ActivatorUtilities.CreateInstance<T>(Host.Services, Host.Executor, Host.Options);
    }

    /// <summary>Records the pings that reach the store and answers, drops or fails them.</summary>
    private sealed class PingsOf
    {
        private int _count;
        private int _claimChecks;

        public int Count => Volatile.Read(ref _count);

        /// <summary>The pings that get no answer, by their numbers from 1.</summary>
        public Func<int, bool> Hangs { get; init; } = _ => false;

        /// <summary>The pings that fail at once.</summary>
        public Func<int, bool> Fails { get; init; } = _ => false;

        public bool HangsClaimChecks { get; init; }

        public int ClaimChecks => Volatile.Read(ref _claimChecks);

        public Action Came { get; init; } = () => { };

        public void CheckClaims() => Interlocked.Increment(ref _claimChecks);

        public int Next() => Interlocked.Increment(ref _count);

        public Task AtLeast(int count) => Waiting.Until(() => Task.FromResult(Count >= count));
    }

    private sealed class CountingStore(ITaskStore inner, PingsOf pings) : DecoratedStore(inner)
    {
        public override async ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(
            ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
        {
            var number = pings.Next();
            if (pings.Fails(number))
            {
                throw new IOException("The store is away.");
            }

            if (pings.Hangs(number))
            {
                await new TaskCompletionSource().Task;
            }

            var lost = await base.HeartbeatAsync(executor, claims, cancellationToken);
            pings.Came();
            return lost;
        }

        public override async ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(
            IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken)
        {
            pings.CheckClaims();
            if (pings.HangsClaimChecks)
            {
                await new TaskCompletionSource().Task;
            }

            return await base.FindLostClaimsAsync(claims, cancellationToken);
        }
    }
}
