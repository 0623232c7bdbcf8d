using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Serialization;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Engine;

/// <summary>Why a run must stop before its end.</summary>
internal enum StopReason
{
    None,

    /// <summary>Its execution deadline is here.</summary>
    Deadline,

    /// <summary>Its claim is lost: nothing may be written any more.</summary>
    Superseded,

    /// <summary>The host stops: nothing is written, and the task is given back.</summary>
    Stopping,

    /// <summary>It has ended by itself.</summary>
    Ended,
}

/// <summary>A claimed task while this process runs it: its token, its results so far, and why it must stop.</summary>
internal sealed class ActiveRun : IDisposable
{
    private readonly CancellationTokenSource _cancel = new();
    private readonly Dictionary<string, JsonElement> _environment;
    private readonly List<JsonElement> _results;
    private readonly ITimer _deadline;
    private readonly Offload _offload;
    private int _reason;
    private volatile bool _superseded;

    public ActiveRun(ExecutorTask task, JsonElement executor, TimeProvider clock, Offload offload)
    {
        _offload = offload;
        Task = task;
        Token = _cancel.Token;
        _results = [.. task.Result];
        _environment = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
        {
            ["id"] = JsonWriting.Text(task.Id),
            ["kws"] = task.Kws,
            ["executor"] = executor,
        };
        for (var stage = 0; stage < _results.Count; stage++)
        {
            _environment.Add(stage.ToString(CultureInfo.InvariantCulture), _results[stage]);
        }

        var left = task.TimeLeft > TimeSpan.Zero ? task.TimeLeft : TimeSpan.Zero;
        _deadline = clock.CreateTimer(static run => ((ActiveRun)run!).Stop(StopReason.Deadline), this, left, Timeout.InfiniteTimeSpan);
    }

    public ExecutorTask Task { get; }

    public HeldClaim Claim => new(Task.Id, Task.Claim);

    /// <summary>Cancelled with the first reason to stop.</summary>
    public CancellationToken Token { get; }

    public bool IsSuperseded => _superseded;

    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    /// <summary>What templates and conditions see.</summary>
    public IReadOnlyDictionary<string, JsonElement> Environment => _environment;

    public IReadOnlyList<JsonElement> Results => _results;

    /// <summary>Ends when the run has, and with it every handler that it started.</summary>
    public Task Completion { get; set; } = System.Threading.Tasks.Task.CompletedTask;

    /// <summary>A handler that did not end when it was told to; the slot is free only when it has.</summary>
    public Task? Leftover { get; set; }

    public void Add(int stage, JsonElement result)
    {
        _results.Add(result);
        _environment.Add(stage.ToString(CultureInfo.InvariantCulture), result);
    }

    /// <summary>The claim is lost. Remembered even if the run is stopping for another reason: then its report need not be delivered any more.</summary>
    public void Supersede()
    {
        _superseded = true;
        Stop(StopReason.Superseded);
    }

    /// <summary>The first reason counts.</summary>
    public void Stop(StopReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None) == (int)StopReason.None)
        {
            _offload.Cancel(_cancel);
        }
    }

    public void Dispose()
    {
        _deadline.Dispose();

        // A timer's or a heartbeat's Stop may be under way on another thread. Whoever sets the reason first decides: after an
        // end nothing is cancelled any more, and after a stop the source is left to the collector.
        if (Interlocked.CompareExchange(ref _reason, (int)StopReason.Ended, (int)StopReason.None) == (int)StopReason.None)
        {
            _cancel.Dispose();
        }
    }
}
