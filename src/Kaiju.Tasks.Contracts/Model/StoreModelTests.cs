using System.Text;
using CsCheck;
using Kaiju.Tasks.Lifecycle;
using Xunit;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// A store against the pure lifecycle: random sequences of everything that can be asked of a store are carried out on
/// it and on a model that only knows <see cref="TaskLifecycle"/>, and after every step all that can be seen of the two
/// must be the same. A store joins by saying how an empty one is opened.
/// <para>A sequence that fails is made as short as it will get and printed with what the store answered; the seed
/// beside it plays that one again: <c>CsCheck_Seed=… dotnet test --filter Every_sequence</c>.</para>
/// </summary>
/// <param name="open">Opens an empty store.</param>
public abstract class StoreModelTests(OpenStore open)
{
    /// <summary>How many sequences are played, of up to <see cref="MaxSteps"/> steps each.</summary>
    protected virtual int Sequences => 5000;

    /// <summary>How many steps a sequence has at most.</summary>
    protected virtual int MaxSteps => 60;

    /// <summary>How many are played at once; -1: one for each core.</summary>
    protected virtual int Threads => -1;

    /// <summary>The smallest step of the store's times. What the sequences ask for is in whole milliseconds.</summary>
    protected virtual TimeSpan Resolution => TimeSpan.FromTicks(1);

    /// <summary>
    /// True: what a task that finishes starts is started before the next task of the same step is looked at. False:
    /// after all of them, in the order of ids. Only seen where one step moves both.
    /// </summary>
    protected virtual bool ChainsAtOnce => true;

    /// <summary>Plays random sequences on the store and on the model.</summary>
    [Fact]
    public Task Every_sequence_of_steps_goes_as_the_lifecycle_says() =>
        PlayAsync(open, Environment.GetEnvironmentVariable("CsCheck_Seed") is null ? Sequences : 1);

    /// <summary>Plays sequences on stores that are opened like this.</summary>
    /// <param name="open">Opens an empty store.</param>
    /// <param name="sequences">How many.</param>
    protected Task PlayAsync(OpenStore open, int sequences) =>
        StepGen.Sequence(MaxSteps).SampleAsync(
            sequence => PlayAsync(open, sequence, null),
            iter: sequences,
            threads: Threads,
            print: sequence => Task.Run(() => DescribeAsync(open, sequence)).GetAwaiter().GetResult());

    /// <summary>
    /// Plays sequences, the same ones each time, until one shows a difference: for a store that is broken on purpose.
    /// </summary>
    /// <param name="open">Opens an empty store.</param>
    /// <param name="sequences">How many at most.</param>
    /// <returns>What is different; null if nothing was seen.</returns>
    protected async Task<string?> FindDifferenceAsync(OpenStore open, int sequences)
    {
        var generator = StepGen.Sequence(MaxSteps);
        var random = PCG.Parse("0000KaijuTasks0");
        for (var played = 0; played < sequences; played++)
        {
            if (await DifferenceOfAsync(open, generator.Generate(random, null, out _), null) is { } difference)
            {
                return difference;
            }
        }

        return null;
    }

    private async Task PlayAsync(OpenStore open, ModelSequence sequence, Action<string>? trace)
    {
        var rules = RulesOf(sequence.Rules);
        await using var store = await open(rules, ModelDefinitions.Start);
        var run = new ModelRun(store, new StoreModel(rules, ChainsAtOnce, Resolution), trace);
        foreach (var step in sequence.Steps)
        {
            trace?.Invoke($"{step}");
            await run.StepAsync(step);
        }
    }

    // Without jitter, so that all times are whole milliseconds, and with small bounds, so that sequences reach them.
    private static LifecycleRules RulesOf(RuleSet set)
    {
        var rules = new LifecycleRules
        {
            RetryDelay = RetryDelay.Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), 0),
            MaxInterruptions = 2,
            KeptRuns = 2,
        };
        return set switch
        {
            RuleSet.MissedRunsAreSkipped => rules.With(missedRuns: MissedRuns.Skip, keptRuns: 3),
            RuleSet.QueuedCanBeOverdue => rules.With(abortOverdueQueued: true, keptRuns: 0, maxInterruptions: 1),
            RuleSet.SuspendedForTenSeconds =>
                rules.With(suspendedLifetime: TimeSpan.FromSeconds(10), maxInterruptions: 3),
            _ => rules,
        };
    }

    private async Task<string> DescribeAsync(OpenStore open, ModelSequence sequence)
    {
        var steps = await ShortestAsync(open, sequence);
        var text = new StringBuilder().AppendLine().Append("rules: ").AppendLine(sequence.Rules.ToString());
        var difference = await DifferenceOfAsync(open, steps, line => text.AppendLine(line));
        return text.AppendLine().Append(difference ?? "(not seen again)").ToString();
    }

    /// <summary>Leaves out what is not needed for a difference, in ever smaller pieces.</summary>
    private async Task<ModelSequence> ShortestAsync(OpenStore open, ModelSequence sequence)
    {
        for (var piece = Math.Max(1, sequence.Steps.Count / 2); piece >= 1; piece /= 2)
        {
            for (var from = sequence.Steps.Count - piece; from >= 0; from--)
            {
                var shorter = sequence with
                {
                    Steps = [.. sequence.Steps.Take(from), .. sequence.Steps.Skip(from + piece)],
                };
                if (from + piece <= sequence.Steps.Count && await DifferenceOfAsync(open, shorter, null) is not null)
                {
                    sequence = shorter;
                }
            }
        }

        for (var place = 0; place < sequence.Steps.Count; place++)
        {
            sequence = await SimplestAtAsync(open, sequence, place);
        }

        return sequence;
    }

    private async Task<ModelSequence> SimplestAtAsync(OpenStore open, ModelSequence sequence, int place)
    {
        foreach (var step in sequence.Steps[place].Simpler())
        {
            var simpler = sequence with
            {
                Steps = [.. sequence.Steps.Take(place), step, .. sequence.Steps.Skip(place + 1)],
            };
            if (await DifferenceOfAsync(open, simpler, null) is not null)
            {
                return await SimplestAtAsync(open, simpler, place);
            }
        }

        return sequence;
    }

    private async Task<string?> DifferenceOfAsync(OpenStore open, ModelSequence sequence, Action<string>? trace)
    {
        try
        {
            await PlayAsync(open, sequence, trace);
            return null;
        }
        catch (Exception e)
        {
            // Whatever it is that goes wrong, it is what is being shortened.
            return e is ModelDifferenceException ? e.Message : e.ToString();
        }
    }
}
