using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// The probability of each fault. Every seed draws its own, so that some lives see one kind often and others never.
/// </summary>
internal sealed record FaultRates(
    double Yield, double Delay, double LostCall, double LostAnswer, double Death, double Repeat)
{
    public static readonly FaultRates None = new(0.5, 0, 0, 0, 0, 0);

    public static FaultRates Draw(Agenda agenda)
    {
        return new(
            0.2 + (agenda.Random.NextDouble() * 0.6), UpTo(0.02), UpTo(0.04), UpTo(0.04), UpTo(0.003), UpTo(0.06));

        double UpTo(double most) => agenda.Chance(0.3) ? 0 : agenda.Random.NextDouble() * most;
    }
}

/// <summary>
/// The network between a process and the store: every call may be delayed, lost in either direction, delivered twice,
/// or interrupted by the death of the process.
/// </summary>
internal sealed class Network(World world, SimulatedProcess process)
{
    private static readonly HashSet<string> _repeatable =
    [
        nameof(ITaskStore.RecordAsync),
        nameof(ITaskStore.HeartbeatAsync),
        nameof(ITaskStore.FindLostClaimsAsync),
        nameof(ITaskStore.FindStrayClaimsAsync),
        nameof(ITaskStore.GiveBackClaimsAsync),
        nameof(ITaskStore.ListAsync),
        nameof(ITaskStore.WatchAsync),
        nameof(ITaskStore.ExpelDeadExecutorsAsync),
        nameof(ITaskStore.AbortOverdueAsync),
        nameof(ITaskStore.RestartPeriodicAsync),
        nameof(ITaskStore.WakeWaitsAsync),
        nameof(ITaskStore.QueueDueAsync),
        nameof(ITaskStore.RequeueFailedAsync),
        nameof(ITaskStore.RepairHoldsAsync),
        nameof(ITaskStore.SendMessageAsync),
    ];

    private Agenda Agenda => world.Agenda;

    /// <summary>Calls whose answers are not lost for the time being.</summary>
    public string? Reliable { get; set; }

    public async ValueTask<T> CallAsync<T>(string member, Func<ValueTask<T>> pass)
    {
        var rates = world.Rates;
        await TravelAsync(rates);
        await MaybeDieAsync(rates, member, "before");
        await ReachAsync(member);
        if (member != Reliable && Agenda.Chance(rates.LostCall))
        {
            Lose(member, "a call");
        }

        var answer = await pass();
        if (_repeatable.Contains(member) && Agenda.Chance(rates.Repeat))
        {
            answer = await RepeatAsync(member, pass, answer);
        }

        await MaybeDieAsync(rates, member, "after");
        await TravelAsync(rates);
        return member != Reliable && Agenda.Chance(rates.LostAnswer) ? Lose(member, "the answer", answer) : answer;
    }

    /// <summary>
    /// While the store is away a call fails at once or waits for its return, as with a server that is gone or frozen.
    /// </summary>
    private async Task ReachAsync(string member)
    {
        while (world.Outages.Left is var left && left > TimeSpan.Zero)
        {
            if (member != Reliable && Agenda.Chance(0.5))
            {
                Lose(member, "a call");
            }

            await process.PauseAsync(left);
        }
    }

    private async Task TravelAsync(FaultRates rates)
    {
        if (Agenda.Chance(rates.Delay))
        {
            await process.PauseAsync(Agenda.Between(1, 25));
        }
        else if (Agenda.Chance(rates.Yield))
        {
            await process.PauseAsync(Agenda.Between(0, 0.01));
        }
    }

    private async Task MaybeDieAsync(FaultRates rates, string member, string when)
    {
        if (process.IsMortal && Agenda.Chance(rates.Death))
        {
            process.Die($"dies {when} {member}");
            await new TaskCompletionSource().Task;
        }
    }

    private async ValueTask<T> RepeatAsync<T>(string member, Func<ValueTask<T>> pass, T answer)
    {
        if (Agenda.Chance(0.5))
        {
            world.Story.Tell(process.Name, $"{member} is delivered twice");
            return await pass();
        }

        Agenda.Add(Agenda.Between(0, 40), null, () => _ = DeliverLateAsync(member, pass));
        return answer;
    }

    private async Task DeliverLateAsync<T>(string member, Func<ValueTask<T>> pass)
    {
        if (world.Outages.Left is var left && left > TimeSpan.Zero)
        {
            Agenda.Add(left, null, () => _ = DeliverLateAsync(member, pass));
            return;
        }

        world.Story.Tell(process.Name, $"{member} is delivered again");
        try
        {
            await pass();
        }
        catch (OperationCanceledException)
        {
            // Its caller has cancelled it, so it would not have been sent again.
        }
    }

    private T Lose<T>(string member, string what, T answer)
    {
        if (answer is IReadOnlyList<ExecutorTask> { Count: > 0 } claimed)
        {
            world.Checker.Interruptions++;
            world.Checker.Executions.AnswerLost(claimed);
        }

        Lose(member, what);
        return answer;
    }

    private void Lose(string member, string what)
    {
        process.HasLostReport |= member == nameof(ITaskStore.RecordAsync);
        world.Story.Tell(process.Name, $"{what} of {member} is lost");
        throw new IOException($"{member}: {what} is lost.");
    }
}

/// <summary>The store as one process sees it.</summary>
internal sealed class DistantStore(ITaskStore store, Network network) : DecoratedStore(store)
{
    protected override ValueTask<T> Call<T>(string member, Func<ValueTask<T>> pass) => network.CallAsync(member, pass);
}

/// <summary>The queue as one process sees it.</summary>
internal sealed class DistantQueue(ITaskQueue queue, Network network) : ITaskQueue
{
    public async ValueTask PublishAsync(IReadOnlyList<QueuedTask> tasks, CancellationToken cancellationToken) =>
        await network.CallAsync("Publish", async () =>
        {
            await queue.PublishAsync(tasks, cancellationToken);
            return true;
        });

    public ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(
        ClaimRequest request, CancellationToken cancellationToken) =>
        network.CallAsync("ClaimNext", () => queue.ClaimAsync(request, cancellationToken));

    public ValueTask WaitAsync(ExecutorInfo executor, TimeSpan timeout, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The simulation drives the duties; no caller waits.");
}
