using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>The treatment of rows that another transaction holds.</summary>
internal enum HeldRows
{
    /// <summary>Wait for them.</summary>
    Wait,

    /// <summary>Skip them.</summary>
    PassOver,
}

/// <summary>Decides about reports while their rows are held.</summary>
internal sealed class ReportDecisions(PostgreSqlSession session)
{
    /// <summary>Decides about reports together; skipped reports get no answer.</summary>
    public async ValueTask<IReadOnlyList<ReportAnswer?>> DecideAsync(
        IReadOnlyList<StageReport> reports, HeldRows held, CancellationToken cancellationToken)
    {
        if (held == HeldRows.Wait)
        {
            return await DecideEachAsync(reports, held, cancellationToken).ConfigureAwait(false);
        }

        // The first try assumes that no row is held. The second one skips held rows; if a table is held, it skips all.
        foreach (var tried in (HeldRows[])[HeldRows.Wait, HeldRows.PassOver])
        {
            try
            {
                return await DecideEachAsync(reports, tried, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (Faults.IsHeld(e))
            {
            }
        }

        return new ReportAnswer?[reports.Count];
    }

    /// <summary>
    /// Decides about each report alone after the server refused a value of the batch, so that each gets its own answer.
    /// </summary>
    private async ValueTask<IReadOnlyList<ReportAnswer?>> DecideEachAsync(
        IReadOnlyList<StageReport> reports, HeldRows held, CancellationToken cancellationToken)
    {
        try
        {
            return await DecideOnceAsync(reports, held, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (Faults.IsOfData(e) && reports is [{ Outcome: StageOutcome.Done } report])
        {
            var error = TaskError.Create(TaskErrorKind.Result, $"The store cannot hold the result: {e.MessageText}");
            var failed = report.WithOutcome(StageOutcome.Failed(error));
            return await DecideOnceAsync([failed], held, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (Faults.IsOfData(e) && reports.Count > 1)
        {
            var answers = new List<ReportAnswer?>();
            foreach (var each in reports)
            {
                answers.AddRange(await DecideEachAsync([each], held, cancellationToken).ConfigureAwait(false));
            }

            return answers;
        }
    }

    private ValueTask<IReadOnlyList<ReportAnswer?>> DecideOnceAsync(
        IReadOnlyList<StageReport> reports, HeldRows held, CancellationToken cancellationToken) => session.WriteAsync(
        step => held == HeldRows.PassOver ? DecideFreeAsync(step, reports) : DecideAllAsync(step, reports),
        StepTry.First,
        OnHeld.Throw,
        cancellationToken);

    private static async ValueTask<IReadOnlyList<ReportAnswer?>> DecideAllAsync(
        SqlStep step, IReadOnlyList<StageReport> reports) =>
        [.. await ReportRecording.DecideAsync(step, reports).ConfigureAwait(false)];

    /// <summary>Holds the free rows first, so that the decision waits for no other transaction.</summary>
    private static async ValueTask<IReadOnlyList<ReportAnswer?>> DecideFreeAsync(
        SqlStep step, IReadOnlyList<StageReport> reports)
    {
        var free = await step.HoldFreeAsync(reports.Select(report => report.TaskId)).ConfigureAwait(false);
        var places = Enumerable.Range(0, reports.Count).Where(place => free.Contains(reports[place].TaskId)).ToList();
        var decided = await ReportRecording.DecideAsync(
            step, places.ConvertAll(place => reports[place])).ConfigureAwait(false);
        var answers = new ReportAnswer?[reports.Count];
        foreach (var (place, answer) in places.Zip(decided))
        {
            answers[place] = answer;
        }

        return answers;
    }
}
