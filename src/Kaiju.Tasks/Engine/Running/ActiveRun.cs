using System.Globalization;
using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Threading;

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
internal sealed class ActiveRun : IThreadPoolWorkItem, IDisposable
{
    // Where the handler's call on the run's own thread stands: none, left behind, or the number of the stage whose handler has the thread.
    private const int NoCall = -1;
    private const int Left = -2;

    private readonly CancellationTokenSource _cancel = new();
    private readonly TaskCompletionSource _completion = new();
    private readonly JsonElement _executor;
    private readonly JsonElement[] _results;
    private readonly Offload _offload;
    private readonly Func<ActiveRun, Task> _body;
    private Dictionary<string, JsonElement>? _environment;
    private TaskCompletionSource? _leftover;
    private int _count;
    private int _reason;
    private int _call = NoCall;
    private volatile Moment? _heldAt;
    private volatile bool _superseded;

    /// <summary>A run that has not begun; <see cref="Offload.Start"/> begins it.</summary>
    /// <param name="task">What was claimed.</param>
    /// <param name="executor">What templates see of the executor.</param>
    /// <param name="clock">What the deadline is measured by.</param>
    /// <param name="offload">Where cancelling goes.</param>
    /// <param name="body">What runs it; once more if a stop leaves a handler behind that keeps the run's own thread.</param>
    public ActiveRun(ExecutorTask task, JsonElement executor, TimeProvider clock, Offload offload, Func<ActiveRun, Task> body)
    {
        (_executor, _offload, _body) = (executor, offload, body);
        Task = task;
        Token = _cancel.Token;
        _results = new JsonElement[task.Result.Count + task.Commands.Count];
        foreach (var result in task.Result)
        {
            _results[_count++] = result;
        }

        var left = task.TimeLeft > TimeSpan.Zero ? task.TimeLeft : TimeSpan.Zero;
        Began = clock.GetTimestamp();
        var steps = left.TotalSeconds * clock.TimestampFrequency;
        Deadline = steps < long.MaxValue - Began ? Began + (long)steps : long.MaxValue;
    }

    public ExecutorTask Task { get; }

    public HeldClaim Claim => new(Task.Id, Task.Claim);

    /// <summary>When it was taken up, as a timestamp of the clock.</summary>
    public long Began { get; }

    /// <summary>When the run must have ended, as a timestamp of the clock.</summary>
    public long Deadline { get; }

    /// <summary>The beginning of the last ping that named the claim.</summary>
    public Moment? HeldAt
    {
        get => _heldAt;
        set => _heldAt = value;
    }

    /// <summary>Cancelled with the first reason to stop.</summary>
    public CancellationToken Token { get; }

    public bool IsSuperseded => _superseded;

    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    /// <summary>The stage whose handler is being called.</summary>
    public int Stage { get; private set; }

    /// <summary>The method of the stage that began last; filled, once it is.</summary>
    public string Method { get; set; } = "";

    /// <summary>What the handler of that stage threw, for the log; null if the failure is of another kind.</summary>
    public Exception? Cause { get; set; }

    /// <summary>And its bound.</summary>
    public TimeSpan? StageTimeout { get; private set; }

    /// <summary>And when it began, as a timestamp of the clock.</summary>
    public long StageStarted { get; set; }

    /// <summary>True once a stop has gone on with the run while a handler still keeps the run's own thread, which then ends without a word.</summary>
    public bool IsLeft => Volatile.Read(ref _call) == Left;

    /// <summary>What templates and conditions see; put together when one of them asks.</summary>
    public IReadOnlyDictionary<string, JsonElement> Environment => _environment ??= NewEnvironment();

    /// <summary>The results so far, as they are now.</summary>
    public IReadOnlyList<JsonElement> Results => _count == 0 ? [] : new ArraySegment<JsonElement>(_results, 0, _count);

    /// <summary>Ends when the run has, and with it every handler that it started.</summary>
    public Task Completion => _completion.Task;

    /// <summary>A handler that did not end when it was told to; the slot is free only when it has.</summary>
    public Task? Leftover { get; set; }

    void IThreadPoolWorkItem.Execute() => _ = _body(this);

    public void Add(int stage, JsonElement result)
    {
        _environment?.Add(Name(stage), result);
        _results[_count++] = result;
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

            // Whichever stage is being called: the reason is the run's. A call that begins from here on sees the reason.
            LeaveCall(Volatile.Read(ref _call));
        }
    }

    /// <summary>A handler is about to be called on the run's own thread. False: there is a reason to stop, and it is not to be called.</summary>
    public bool BeginCall(int stage, TimeSpan? timeout, CancellationToken token)
    {
        (Stage, StageTimeout) = (stage, timeout);
        Interlocked.Exchange(ref _call, stage);

        // Whoever stops gives the reason first and looks for a call then; so one of the two sees the other.
        if (Reason == StopReason.None && !token.IsCancellationRequested)
        {
            return true;
        }

        EndCall(System.Threading.Tasks.Task.CompletedTask);
        return false;
    }

    /// <summary>The handler has given the thread back; what it still does is <paramref name="rest"/>. False: the run has gone on without it.</summary>
    public bool EndCall(Task rest)
    {
        if (Interlocked.CompareExchange(ref _call, NoCall, Stage) == Stage)
        {
            return true;
        }

        _ = EndLeftoverAsync(rest);
        return false;
    }

    /// <summary>
    /// Continues the run without the handler of this stage, if that handler keeps the run's own thread. A call of another stage is left
    /// alone: a stage's timer may fire while its stage ends and the next one begins.
    /// </summary>
    public void LeaveCall(int stage)
    {
        if (stage >= 0 && Interlocked.CompareExchange(ref _call, Left, stage) == stage)
        {
            Leftover = LeftoverSource().Task;
            _offload.Start(this);
        }
    }

    public void Dispose()
    {
        // A timer's or a heartbeat's Stop may be under way on another thread. Whoever sets the reason first decides: after an
        // end nothing is cancelled any more, and after a stop the source is left to the collector.
        if (Interlocked.CompareExchange(ref _reason, (int)StopReason.Ended, (int)StopReason.None) == (int)StopReason.None)
        {
            _cancel.Dispose();
        }
    }

    /// <summary>The last thing that happens to a run.</summary>
    public void Complete() => _completion.SetResult();

    private async Task EndLeftoverAsync(Task rest)
    {
        await rest.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        LeftoverSource().TrySetResult();
    }

    // The one who leaves and the one who is left may come here at the same time.
    private TaskCompletionSource LeftoverSource() =>
        LazyInitializer.EnsureInitialized(ref _leftover, static () => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private static string Name(int stage) => stage.ToString(CultureInfo.InvariantCulture);

    private Dictionary<string, JsonElement> NewEnvironment()
    {
        var environment = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
        {
            ["id"] = JsonWriting.Text(Task.Id),
            ["kws"] = Task.Kws,
            ["executor"] = _executor,
        };
        for (var place = 0; place < _count; place++)
        {
            var claimed = Task.Result.Count;
            environment.Add(Name(place < claimed ? place : Task.Stage + place - claimed), _results[place]);
        }

        return environment;
    }
}
