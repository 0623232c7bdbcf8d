namespace Kaiju.Tasks.Faults;

/// <summary>
/// A deployment while the client creates tasks: the executors are replaced one by one by the next version, and later
/// back (<see cref="Worker.Commands"/>). Meanwhile the app and one of its methods are paused and resumed.
/// </summary>
internal sealed class Deployment(
    Crew crew, FaultDatabase database, ITaskClient client, Random random, RunReport report)
{
    /// <summary>The version of the executors before the first deployment.</summary>
    public const int First = 1;

    private const int Second = 2;
    private const string App = "default";
    private const string Method = "work";

    // Transitions from QUEUED to EXECUTED.
    private const string Claims = "select count(*) from fault_log where old_state = 1 and new_state = 2";

    private static readonly TimeProvider _clock = TimeProvider.System;

    // Other processes look for pauses once a second, and claims that began before the pause may end after it.
    private static readonly TimeSpan _claimTime = TimeSpan.FromSeconds(1.3);
    private static readonly TimeSpan _pauseTime = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>Deploys the second version, and rolls it back.</summary>
    public async Task RollAsync()
    {
        await DeployAsync(Second, killsFirst: false, crew.Executors);
        await PauseAppAsync();
        await DeployAsync(First, killsFirst: true, crew.Executors);
        await PauseMethodAsync();
    }

    /// <summary>Leaves both versions running, so that every task can end.</summary>
    public Task EndAsync() => DeployAsync(Second, killsFirst: false, crew.Executors / 2);

    /// <summary>Replaces executors one by one, every other one by a kill.</summary>
    private async Task DeployAsync(int version, bool killsFirst, int count)
    {
        var kills = killsFirst;
        foreach (var member in crew.Those("executor").Take(count))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 300)), _clock);
            if (!await crew.ReplaceAsync(member, version, kills))
            {
                report.Faults.Add("a process did not stop when asked");
            }

            kills = !kills;
        }
    }

    /// <summary>
    /// No task of a paused app is claimed; after the resume they are. Meanwhile a manager finds the command that no
    /// executor knows.
    /// </summary>
    private async Task PauseAppAsync()
    {
        await client.PauseAsync(new TaskPause { AppName = App, Reason = "A test of pauses." });
        await Task.Delay(_claimTime, _clock);
        await CheckAsync("the app", Claims, "hold = 0");
        await ResumeAsync("the app", App, null, Claims);
    }

    /// <summary>
    /// No task whose next stage is of a paused method is claimed, once a manager has held those that were queued.
    /// </summary>
    private async Task PauseMethodAsync()
    {
        const string OfMethod = $"{Claims} and method = '{Method}'";
        await client.PauseAsync(new TaskPause { Method = Method, Until = _clock.GetUtcNow() + TimeSpan.FromHours(1) });
        await UntilAsync(
            $"select count(*) from [states] where state = 1 and hold = 0 and method = '{Method}'",
            count => count == 0,
            $"queued tasks of the paused method were not held within {_patience.TotalSeconds} s");
        await Task.Delay(_claimTime, _clock);
        await CheckAsync("the method", OfMethod, $"method = '{Method}'");
        await ResumeAsync("the method", null, Method, OfMethod);
    }

    private async Task CheckAsync(string what, string claims, string queued)
    {
        var pauses = await client.ListPausesAsync();
        var before = await database.CountAsync(claims);
        await Task.Delay(_pauseTime, _clock);
        var claimed = await database.CountAsync(claims) - before;
        if (pauses.Count != 1)
        {
            report.Faults.Add($"there are {pauses.Count} pauses instead of that of {what}");
        }

        if (claimed > 0)
        {
            report.Faults.Add($"{claimed} tasks were claimed during the pause of {what}");
        }

        if (await database.CountAsync($"select count(*) from [states] where state = 1 and {queued}") == 0)
        {
            report.Faults.Add($"no task waited during the pause of {what}, which has proved nothing");
        }
    }

    private async Task ResumeAsync(string what, string? app, string? method, string claims)
    {
        var before = await database.CountAsync(claims);
        if (!await client.ResumeAsync(app, method))
        {
            report.Faults.Add($"the pause of {what} was lost");
        }

        await UntilAsync(
            claims, count => count > before, $"no task was claimed within {_patience.TotalSeconds} s after the resume");
    }

    private async Task UntilAsync(string sql, Predicate<long> isEnough, string otherwise)
    {
        var began = _clock.GetTimestamp();
        while (!isEnough(await database.CountAsync(sql)))
        {
            if (_clock.GetElapsedTime(began) > _patience)
            {
                report.Faults.Add(otherwise);
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), _clock);
        }
    }
}
