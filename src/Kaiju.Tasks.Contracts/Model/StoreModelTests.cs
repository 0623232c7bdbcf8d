using System.Text;
using CsCheck;
using Kaiju.Tasks.Lifecycle;
using Xunit;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// Compares a store with the pure lifecycle. Random sequences of all calls run on the store and on a model that only
/// uses <see cref="TaskLifecycle"/>. After every step, everything visible in the two must be equal. A store is tested
/// by a class that derives from this one and opens an empty store.
/// <para>A sequence that fails is shortened as far as possible and printed with the store's answers. The seed printed
/// with it repeats the sequence: <c>CsCheck_Seed=… dotnet test --filter Every_sequence</c>.</para>
/// </summary>
/// <param name="open">The function that opens an empty store.</param>
public abstract class StoreModelTests(OpenStore open)
{
    /// <summary>The number of sequences, each of up to <see cref="MaxSteps"/> steps. Default: 5,000.</summary>
    protected virtual int Sequences => 5000;

    /// <summary>The most steps of a sequence. Default: 60.</summary>
    protected virtual int MaxSteps => 60;

    /// <summary>The most sequences that run at once. Default: -1, for one on each core.</summary>
    protected virtual int Threads => -1;

    /// <summary>The smallest step of the store's times. Default: 100 ns. Sequences use whole milliseconds.</summary>
    protected virtual TimeSpan Resolution => TimeSpan.FromTicks(1);

    /// <summary>
    /// True: a next task is started before the following task of the same step is decided. False: after all tasks of
    /// the step, in the order of ids. It only matters where one step moves both. Default: true.
    /// </summary>
    protected virtual bool ChainsAtOnce => true;

    /// <summary>Runs random sequences on the store and on the model.</summary>
    [Fact]
    public Task Every_sequence_of_steps_agrees_with_the_lifecycle() =>
        PlayAsync(open, Environment.GetEnvironmentVariable("CsCheck_Seed") is null ? Sequences : 1);

    /// <summary>Runs random sequences on stores that a given function opens.</summary>
    /// <param name="open">The function that opens an empty store.</param>
    /// <param name="sequences">The number of sequences.</param>
    protected Task PlayAsync(OpenStore open, int sequences) =>
        StepGen.Sequence(MaxSteps).SampleAsync(
            sequence => PlayAsync(open, sequence, null),
            iter: sequences,
            threads: Threads,
            print: sequence => Task.Run(() => DescribeAsync(open, sequence)).GetAwaiter().GetResult());

    /// <summary>
    /// Runs sequences, the same ones each time, until one shows a difference; for a store that is broken on purpose.
    /// </summary>
    /// <param name="open">The function that opens an empty store.</param>
    /// <param name="sequences">The most sequences.</param>
    /// <param name="quick">
    /// A quick store that is broken in the same way: only sequences that show a difference in it are played. Default:
    /// null, all are played.
    /// </param>
    /// <returns>The difference; null if none was found.</returns>
    protected async Task<string?> FindDifferenceAsync(OpenStore open, int sequences, OpenStore? quick = null)
    {
        var generator = StepGen.Sequence(MaxSteps);
        var random = PCG.Parse("0000KaijuTasksB");
        for (var played = 0; played < sequences; played++)
        {
            var sequence = generator.Generate(random, null, out _);
            if (quick is not null && await DifferenceOfAsync(quick, sequence, null) is null)
            {
                continue;
            }

            if (await DifferenceOfAsync(open, sequence, null) is { } difference)
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
            RuleSet.MissedRunsAreSkipped => rules.With(r => r.MissedRuns, MissedRuns.Skip).With(r => r.KeptRuns, 3)
                .With(r => r.MissedRunTolerance, TimeSpan.FromSeconds(10)),
            RuleSet.QueuedCanBeOverdue => rules.With(r => r.AbortOverdueQueued, true).With(r => r.KeptRuns, 0)
                .With(r => r.MaxInterruptions, 1),
            RuleSet.SuspendedForTenSeconds =>
                rules.With(r => r.SuspendedLifetime, TimeSpan.FromSeconds(10)).With(r => r.MaxInterruptions, 3),
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

    /// <summary>Leaves out steps that a difference does not need, in ever smaller pieces.</summary>
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
            // Any failure is a difference, so that the sequence is shortened for it.
            return e is ModelDifferenceException ? e.Message : e.ToString();
        }
    }
}
