using Kaiju.Tasks.TestServers;

namespace Kaiju.Tasks.Faults;

/// <summary>One kind of harm, repeated until the time is over and the requested count is reached.</summary>
internal sealed class Scenario(
    string name,
    Crew crew,
    FaultDatabase database,
    CommitProxy? proxy,
    NewerSchema? newer,
    ITaskClient client,
    Random random,
    RunReport report)
{
    /// <summary>Missed pings until an executor is dead, if the server is away for longer than that.</summary>
    public const int PatientPings = 4;

    private static readonly TimeSpan _lifetime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _mostRecovery = TimeSpan.FromSeconds(5);
    private static readonly TimeProvider _clock = TimeProvider.System;

    private readonly Holder _holder = new(database, random, report);
    private readonly Deployment _deployment = new(crew, database, client, random, report);

    public static IReadOnlyList<string> Names { get; } = [
        "kill", "freeze", "postmaster", "terminate", "readonly", "outage", "restart", "held", "deploy",
        "cut"];

    /// <summary>SQLite has no server to kill, no backends to end, and no commit whose answer can be lost.</summary>
    public static bool IsFor(string scenario, string store) =>
        store == "postgres" || scenario is not ("postmaster" or "terminate" or "readonly" or "cut");

    public async Task RunAsync(TimeSpan time, int least)
    {
        if (name == "cut")
        {
            await CutAsync(time, least);
            return;
        }

        var began = _clock.GetTimestamp();
        var round = 0;
        bool IsEnough() => _clock.GetElapsedTime(began) >= time && round >= least;
        while (!IsEnough())
        {
            await (name switch
            {
                "kill" => KillAsync(),
                "freeze" => FreezeAsync(),
                "postmaster" => KillServerAsync(round),
                "terminate" => TerminateAsync(),
                "readonly" => ReadOnlyAsync(round),
                "held" => _holder.HoldAsync(report.Store),
                "deploy" => _deployment.RollAsync(),
                "outage" => MakeUnavailableAsync(round),
                _ => RestartAsync(round),
            });
            round++;
        }

        if (name == "deploy")
        {
            await _deployment.EndAsync();
        }

        report.Harms = round;
    }

    private async Task KillAsync()
    {
        await PauseAsync(200, 1500);
        crew.Kill(random.Next(crew.Count));
    }

    /// <summary>Freezes an executor, and sometimes a manager with it, for three times the allowed time.</summary>
    private async Task FreezeAsync()
    {
        await PauseAsync(500, 1500);
        await AllAreBusyAsync();
        var executors = crew.Those("executor");
        var managers = crew.Those("manager");
        int[] frozen = [
            executors[random.Next(executors.Length)],
            .. random.Next(2) == 0 ? [managers[random.Next(managers.Length)]] : Array.Empty<int>()];
        Array.ForEach(frozen, crew.Freeze);
        await Task.Delay(_lifetime * 3, _clock);
        Array.ForEach(frozen, crew.Thaw);
        await PauseAsync(500, 1000);
    }

    /// <summary>Waits for a while until every executor runs a task: freezing an idle one proves nothing.</summary>
    private async Task AllAreBusyAsync()
    {
        for (var i = 0; i < 500; i++)
        {
            if (await database.CountAsync(
                "select count(distinct executor_id) from [states] where state = 2") >= crew.Executors)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), _clock);
        }
    }

    /// <summary>Kills the whole server, or one of its processes, which has the same effect.</summary>
    private async Task KillServerAsync(int round)
    {
        await PauseAsync(500, 1500);
        var server = database.Server!;
        if (round % 2 == 0)
        {
            server.Kill();
            await PauseAsync(0, 1000);
            server.Launch();
        }
        else
        {
            server.KillBackend(random.Next(1000));
            await PauseAsync(50, 100);
        }

        report.LostServers++;
        if (!await server.IsUpAsync(TimeSpan.FromSeconds(30)))
        {
            report.Faults.Add("the server did not come back");
            return;
        }

        await RecoverAsync();
    }

    /// <summary>
    /// Makes the database read-only for some seconds: for new sessions, or for all. Existing sessions continue or are
    /// ended.
    /// </summary>
    private async Task ReadOnlyAsync(int round)
    {
        await PauseAsync(500, 1500);
        var isOfServer = round % 2 == 1;
        await database.SetReadOnlyAsync(true, isOfServer);
        try
        {
            if (random.Next(4) > 0)
            {
                await database.EndSessionsAsync();
            }

            await PauseAsync(1000, 4000);
        }
        finally
        {
            await database.SetReadOnlyAsync(false, isOfServer);
        }

        await RecoverAsync();
    }

    /// <summary>
    /// Takes the server away for longer than an executor's lifetime: it freezes, or it is killed and restarted.
    /// </summary>
    private async Task MakeUnavailableAsync(int round)
    {
        await PauseAsync(500, 1500);
        var time = TimeSpan.FromSeconds(PatientPings) * (1.2 + (random.NextDouble() * 0.6));
        if (await database.MakeUnavailableAsync(time, isGone: round % 2 == 1))
        {
            report.LostServers++;
        }

        await RecoverAsync();

        // An executor that is expelled for the outage is expelled within this time.
        await Task.Delay(TimeSpan.FromSeconds(PatientPings + 1), _clock);
    }

    /// <summary>Checks that work resumes soon.</summary>
    private async Task RecoverAsync()
    {
        var up = _clock.GetTimestamp();
        var before = await LastChangeAsync();
        while (await LastChangeAsync() == before)
        {
            if (_clock.GetElapsedTime(up) > _mostRecovery)
            {
                report.Faults.Add($"work did not resume within {_mostRecovery.TotalSeconds} s of the server's return");
                return;
            }

            await PauseAsync(10, 11);
        }

        report.LongestRecovery = Max(report.LongestRecovery, _clock.GetElapsedTime(up));
    }

    private async Task TerminateAsync()
    {
        await Task.Delay(TimeSpan.FromMilliseconds(50), _clock);
        await database.QueryAsync(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'Kaiju.Tasks' and pid <> "
                + "pg_backend_pid() order by random() limit 1",
            row => row.GetBoolean(0));
    }

    /// <summary>
    /// Cuts off, delays or swallows commits, before and after the server has executed them, several each second.
    /// </summary>
    private async Task CutAsync(TimeSpan time, int least)
    {
        var began = _clock.GetTimestamp();
        var next = TimeSpan.Zero;
        proxy!.Choose(_ =>
        {
            var now = _clock.GetElapsedTime(began);
            if (now < next)
            {
                return null;
            }

            next = now + TimeSpan.FromMilliseconds(random.Next(20, 400));
            return NextHarm();
        });
        while (_clock.GetElapsedTime(began) < time || proxy.Harms < least)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), _clock);
        }

        proxy.Spare();
        report.Harms = proxy.Harms;
    }

    private CommitHarm NextHarm()
    {
        var moment = random.Next(2) == 0 ? CutMoment.Before : CutMoment.After;
        return random.Next(12) switch
        {
            < 5 => new CommitHarm(moment, CutKind.Close),
            < 8 => new CommitHarm(moment, CutKind.Reset),
            < 11 => new CommitHarm(moment, CutKind.Delay, TimeSpan.FromMilliseconds(random.Next(20, 500))),
            _ => new CommitHarm(moment, CutKind.Blackhole, TimeSpan.FromMilliseconds(random.Next(100, 3000))),
        };
    }

    /// <summary>
    /// Stops and starts one process after the other, on the tables of a later version that was applied before.
    /// </summary>
    private async Task RestartAsync(int round)
    {
        await PauseAsync(100, 300);
        if (round == 0)
        {
            await newer!.ApplyAsync();
        }

        if (!await crew.RestartAsync(round % crew.Count))
        {
            report.Faults.Add("a process did not stop when asked");
        }
    }

    private async Task<long> LastChangeAsync()
    {
        try
        {
            return await database.CountAsync("select coalesce(max(seq), 0) from fault_log where recorded");
        }
        catch (System.Data.Common.DbException)
        {
            return -1;
        }
    }

    private Task PauseAsync(int least, int most) =>
        Task.Delay(TimeSpan.FromMilliseconds(random.Next(least, most)), _clock);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
