using System.Data.Common;
using System.Globalization;

namespace Kaiju.Tasks.Faults;

/// <summary>
/// The checks at the end. They read the database's rows, its own log of changes, and the file with every execution.
/// They know nothing of the library except the meaning of its columns.
/// </summary>
internal sealed class Checker(
    FaultDatabase database, string witnesses, IReadOnlyCollection<string> acknowledged, int executors, RunReport report)
{
    private const int Idle = 0;
    private const int Queued = 1;
    private const int Executing = 2;
    private const int Suspended = 3;
    private const int Waiting = 4;
    private const int Finished = 5;
    private const int Failed = 6;

    private static readonly HashSet<(int?, int)> _legal =
    [
        (null, Idle),
        (null, Queued),
        (Idle, Idle),
        (Idle, Queued),
        (Queued, Executing),
        (Executing, Executing),
        (Executing, Suspended),
        (Executing, Waiting),
        (Executing, Finished),
        (Executing, Failed),
        (Suspended, Queued),
        (Waiting, Suspended),
        (Waiting, Finished),
        (Finished, Idle),
        (Failed, Queued),
        (Failed, Idle),
        (Queued, Queued), (Suspended, Suspended), (Waiting, Waiting),
    ];

    private sealed record TaskRow(
        long TaskNo,
        string Id,
        int Stages,
        int State,
        long? NextRun,
        bool IsPeriodic,
        string JobId,
        int RunNo,
        int Pass,
        int Retries,
        int Interruptions);

    private sealed record ResultRow(long TaskNo, int RunNo, int Pass, int Stage, long Finished, Guid? Claim);

    private sealed record Change(
        long TaskNo,
        int? OldState,
        int NewState,
        int? OldStage,
        int NewStage,
        Guid? OldClaim,
        bool Recorded,
        Guid? ReportClaim,
        int RunNo,
        int Pass,
        long? Occurrence,
        bool Interrupted,
        string? OldExecutor,
        string? Method,
        int Hold);

    private sealed record Execution(
        long Began,
        string TaskId,
        string JobId,
        int Pass,
        int Stage,
        Guid Claim,
        int Version,
        string Method);

    public async Task CheckAsync()
    {
        var tasks = await database.QueryAsync(
            "select t.task_no, t.id, s.stages, s.state, s.next_run, t.is_periodic, s.job_id, s.run_no, s.pass, "
                + "s.retries, s.interruptions from [tasks] t join [states] s on s.task_no = t.task_no",
            row => new TaskRow(
                row.GetInt64(0),
                row.GetString(1),
                row.GetInt32(2),
                row.GetInt32(3),
                LongOrNull(row, 4),
                row.GetBoolean(5),
                row.GetString(6),
                row.GetInt32(7),
                row.GetInt32(8),
                row.GetInt32(9),
                row.GetInt32(10)));
        var results = await database.QueryAsync(
            "select task_no, run_no, pass, stage, finished, claim from [results]",
            row => new ResultRow(
                row.GetInt64(0),
                row.GetInt32(1),
                row.GetInt32(2),
                row.GetInt32(3),
                row.GetInt64(4),
                GuidOrNull(row, 5)));
        var changes = await database.QueryAsync(
            "select task_no, old_state, new_state, old_stage, new_stage, old_claim, recorded, report_claim, run_no, "
                + "pass, occurrence, interrupted, old_executor, method, hold from fault_log order by seq",
            row => new Change(
                row.GetInt64(0),
                IntOrNull(row, 1),
                row.GetInt32(2),
                IntOrNull(row, 3),
                row.GetInt32(4),
                GuidOrNull(row, 5),
                row.GetBoolean(6),
                GuidOrNull(row, 7),
                row.GetInt32(8),
                row.GetInt32(9),
                LongOrNull(row, 10),
                row.GetBoolean(11),
                row.IsDBNull(12) ? null : row.GetString(12),
                row.IsDBNull(13) ? null : row.GetString(13),
                row.GetInt32(14)));
        var lines = new List<string>();
        foreach (var file in Directory.EnumerateFiles(witnesses))
        {
            lines.AddRange(await File.ReadAllLinesAsync(file));
        }

        var executions = lines.Where(line => line.StartsWith("began ", StringComparison.Ordinal)).Select(Read).ToList();

        report.Refused = lines.Count(line => line == "refused");
        report.Unknown = lines.Count(line => line == "unknown");
        report.Stages = results.Count;
        report.Executions = executions.Count;
        CheckResults(tasks, results);
        CheckClaims(results, changes);
        CheckTransitions(changes);
        CheckEnds(tasks);
        CheckOccurrences(tasks, changes);
        CheckExecutions(executions, changes);
        CheckRepetitions(tasks, results, executions, changes);
        await CheckNotificationsAsync();
        Check(
            "I9",
            acknowledged.Except(tasks.Select(task => task.Id)),
            id => $"the creation of {id} was acknowledged, but the task does not exist");
        CheckPutBacks(changes);
        CheckScenario(tasks);
        if (report.Scenario == "deploy")
        {
            CheckDeployment(tasks, executions, changes);
        }
    }

    /// <summary>I1 and I2: one result for each stage, none missing, in order.</summary>
    private void CheckResults(List<TaskRow> tasks, List<ResultRow> results)
    {
        var byTask = results.ToLookup(result => (result.TaskNo, result.RunNo, result.Pass));
        foreach (var task in tasks.Where(task => task.State == Finished))
        {
            var own = byTask[(task.TaskNo, task.RunNo, task.Pass)].OrderBy(result => result.Stage).ToList();
            if (!own.Select(result => result.Stage).SequenceEqual(Enumerable.Range(0, task.Stages)))
            {
                report.Faults.Add(
                    $"I1: {task.Id} has results of the stages {string.Join(", ", own.Select(result => result.Stage))}");
            }
        }

        foreach (var own in byTask)
        {
            var ordered = own.OrderBy(result => result.Stage).ToList();
            if (!ordered.Zip(ordered.Skip(1)).All(
                pair => pair.First.Finished <= pair.Second.Finished && pair.First.Stage + 1 == pair.Second.Stage))
            {
                report.Faults.Add(
                    $"I2: the results of task number {own.Key.TaskNo}, run {own.Key.RunNo} are not in order");
            }
        }
    }

    /// <summary>I3: every record was made under the claim that was held then.</summary>
    private void CheckClaims(List<ResultRow> results, List<Change> changes)
    {
        var recorded = changes.Where(change => change is { Recorded: true, OldState: Executing }).ToList();
        Check(
            "I3",
            recorded.Where(change => change.OldClaim is null || change.OldClaim != change.ReportClaim),
            change =>
                $"stage {change.OldStage} of task number {change.TaskNo} was recorded under a claim that was not held");
        var held = recorded.ToLookup(
            change => (change.TaskNo, change.RunNo, change.Pass, change.OldStage, change.OldClaim));
        Check(
            "I3",
            results.Where(
                result => result.Claim is not null
                    && held[(result.TaskNo, result.RunNo, result.Pass, result.Stage, result.Claim)].Count() != 1),

            result =>
                $"stage {result.Stage} of task number {result.TaskNo} has a result of a claim that was not held then");
    }

    /// <summary>
    /// I4: only legal transitions, each from the state that the last one led to, and only to the next stage.
    /// </summary>
    private void CheckTransitions(List<Change> changes)
    {
        Check(
            "I4",
            changes.Where(
                change => !_legal.Contains((change.OldState, change.NewState))
                    && !(IsPutBack(change) && report.Scenario == "deploy")),
            change => $"task number {change.TaskNo} went from {change.OldState} to {change.NewState}");
        Check(
            "I4",
            changes.Where(
                change =>
                    change is { Recorded: true, NewState: not Finished } && change.NewStage != change.OldStage + 1),
            change => $"task number {change.TaskNo} went from stage {change.OldStage} to {change.NewStage}");
        foreach (var own in changes.GroupBy(change => change.TaskNo))
        {
            var broken = own.Zip(own.Skip(1)).FirstOrDefault(
                pair => pair.First.NewState != pair.Second.OldState || pair.First.NewStage != pair.Second.OldStage);
            if (broken.First is not null)
            {
                report.Faults.Add(
                    $"I4: task number {own.Key} was at {broken.First.NewState}, stage {broken.First.NewStage}, and "
                        + $"left from {broken.Second.OldState}, stage {broken.Second.OldStage}");
            }
        }
    }

    /// <summary>I5: every task has ended successfully: nothing here fails on its own.</summary>
    private void CheckEnds(List<TaskRow> tasks) =>
        Check(
            "I5",
            tasks.Where(task => task.State != Finished && !(task is { State: Idle, NextRun: null })),
            task => $"{task.Id} is at {task.State}");

    /// <summary>I6: one run for each occurrence.</summary>
    private void CheckOccurrences(List<TaskRow> tasks, List<Change> changes)
    {
        var periodic = tasks.Where(task => task.Id.StartsWith("periodic", StringComparison.Ordinal))
            .Select(task => task.TaskNo).ToHashSet();
        var begun = changes.Where(
            change => periodic.Contains(change.TaskNo) && change is { OldState: Idle, NewState: Queued })
            .ToList();
        Check(
            "I6",
            begun.GroupBy(change => (change.TaskNo, change.Occurrence)).Where(same => same.Count() > 1),
            same => $"task number {same.Key.TaskNo} ran {same.Count()} times for one occurrence");
        Check(
            "I6",
            begun.GroupBy(change => (change.TaskNo, change.RunNo)).Where(same => same.Count() > 1),
            same => $"run {same.Key.RunNo} of task number {same.Key.TaskNo} began {same.Count()} times");
    }

    /// <summary>I7: a stage runs again only after an interruption.</summary>
    private void CheckExecutions(List<Execution> executions, List<Change> changes)
    {
        report.Extra = executions.Count - executions.DistinctBy(
            execution => (execution.TaskId, execution.JobId, execution.Pass, execution.Stage))
            .Count();
        report.Interruptions = changes.Count(change => change.Interrupted);
        report.Suspensions = changes.Count(
            change => change is { OldState: Executing, NewState: Suspended, Interrupted: false });

        // A lost server loses the newest claims, which cannot be proved: at most as many as there are slots.
        report.MostExtra = report.Interruptions
            + report.Suspensions + ((long)report.LostServers * executors * Worker.Slots);
        if (report.Extra > report.MostExtra)
        {
            report.Faults.Add($"I7: {report.Extra} stages ran again, the limit is {report.MostExtra}");
        }
    }

    /// <summary>I8: no stage begins whose result is recorded.</summary>
    private void CheckRepetitions(
        List<TaskRow> tasks, List<ResultRow> results, List<Execution> executions, List<Change> changes)
    {
        var remembered = changes.Select(change => change.OldClaim).ToHashSet();
        var numbers = tasks.ToDictionary(task => task.Id);
        var recorded = results.ToDictionary(result => (result.TaskNo, result.RunNo, result.Pass, result.Stage));
        foreach (var execution in executions)
        {
            // Of periodic tasks only the last run: the numbers of earlier runs are not written down.
            if (numbers.TryGetValue(execution.TaskId, out var task) && task.JobId == execution.JobId
                && recorded.TryGetValue((task.TaskNo, task.RunNo, execution.Pass, execution.Stage), out var result)
                    && execution.Began > result.Finished)
            {
                var late = TimeSpan.FromTicks(execution.Began - result.Finished);
                var claim = execution.Claim == result.Claim
                    ? "the same claim"
                    : remembered.Contains(execution.Claim)
                        ? "an earlier claim"
                        : "a claim that the store does not know";
                report.Faults.Add(
                    $"I8: stage {execution.Stage} of {execution.TaskId} began {late.TotalMilliseconds:0.0} ms after "
                        + $"its result was recorded, under {claim}");
            }
        }
    }

    /// <summary>I10: each task with notifications leaves one of its end; none of them has more than one run.</summary>
    private async Task CheckNotificationsAsync()
    {
        const int Notifies = 4;
        var wrong = await database.QueryAsync(
            $"""
            select t.id, count(n.id) from [tasks] t join [states] s on s.task_no = t.task_no left
                join [notifications] n on n.task_id = t.id and n.is_final
            where s.state = {Finished} and (s.traits & {Notifies}) <> 0
                and not t.is_periodic group by t.id having count(n.id) <> 1
            """,
            row => (Id: row.GetString(0), Count: row.GetInt64(1)));
        Check("I10", wrong, task => $"{task.Id} has left {task.Count} notifications of its end");
    }

    /// <summary>
    /// I11: an executor puts a stage back once at most, so that no task circles between queue and executors.
    /// </summary>
    private void CheckPutBacks(List<Change> changes)
    {
        var putBacks = changes.Where(IsPutBack).ToList();
        report.PutBacks = putBacks.Count;
        report.MostPutBacks = putBacks.GroupBy(change => (change.TaskNo, change.RunNo, change.Pass, change.NewStage))
            .Select(same => same.Count()).DefaultIfEmpty().Max();
        Check(
            "I11",
            putBacks.GroupBy(
                change => (change.TaskNo, change.RunNo, change.Pass, change.NewStage, change.OldExecutor))
                .Where(same => same.Count() > 1),
            same => $"executor {same.Key.OldExecutor} put stage {same.Key.NewStage} of task number {same.Key.TaskNo} "
                + $"back {same.Count()} times");
    }

    /// <summary>No task suffers from a deployment.</summary>
    private void CheckDeployment(List<TaskRow> tasks, List<Execution> executions, List<Change> changes)
    {
        Check(
            "deploy",
            changes.Where(change => change.NewState == Failed),
            change => $"task number {change.TaskNo} failed at stage {change.OldStage}");
        Check(
            "deploy",
            executions.Where(execution => !Worker.Commands[execution.Version].Contains(execution.Method)),
            execution => $"version {execution.Version} ran {execution.Method} of {execution.TaskId}");
        Check("deploy", tasks.Where(task => task.Retries > 0), task => $"{task.Id} has {task.Retries} retries");
        Check(
            "deploy",
            Worker.Commands.Skip(Deployment.First).Where(
                commands => !executions.Exists(execution => commands.Contains(execution.Method))),
            commands => $"no {string.Join(" and no ", commands)} ran");
        if (report.PutBacks == 0 || !changes.Exists(change => change is { OldState: not Executing, Hold: 1 }))
        {
            report.Faults.Add("no stage was put back, or no queued task was held: the deployment has proved nothing");
        }

        if (report.Unknown == 0)
        {
            report.Faults.Add("no manager warned of commands that no executor knows");
        }
    }

    private static bool IsPutBack(Change change) => change is { OldState: Executing, NewState: Queued };

    private void CheckScenario(List<TaskRow> tasks)
    {
        if (report.Scenario == "freeze" && report.Refused == 0)
        {
            report.Faults.Add("no stale write was refused: the freeze has proved nothing");
        }

        if (report.Scenario == "outage" && report.Interruptions > 0)
        {
            report.Faults.Add($"outage: {report.Interruptions} runs of living executors were interrupted");
        }

        if (report.Scenario is "restart" or "held" or "outage")
        {
            Check(
                report.Scenario,
                tasks.Where(task => task.Retries > 0 || task.Interruptions > 0),
                task => $"{task.Id} has {task.Retries} retries and {task.Interruptions} interruptions");
        }
    }

    private void Check<T>(string rule, IEnumerable<T> broken, Func<T, string> say)
    {
        var all = broken.ToList();
        report.Faults.AddRange(all.Take(3).Select(each => $"{rule}: {say(each)}"));
        if (all.Count > 3)
        {
            report.Faults.Add($"{rule}: and {all.Count - 3} more");
        }
    }

    private static Execution Read(string line)
    {
        var words = line.Split(' ');
        return new Execution(
            long.Parse(words[1], CultureInfo.InvariantCulture),
            words[2],
            words[3],
            int.Parse(words[4], CultureInfo.InvariantCulture),
            int.Parse(words[5], CultureInfo.InvariantCulture),
            Guid.Parse(words[6]),
            int.Parse(words[8], CultureInfo.InvariantCulture),
            words[9]);
    }

    private static long? LongOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static int? IntOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt32(column);

    private static Guid? GuidOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetGuid(column);
}
