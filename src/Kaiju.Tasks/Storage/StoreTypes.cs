using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Serialization;

namespace Kaiju.Tasks.Storage;

/// <summary>What became of one task that was to be created.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="Result">What was done.</param>
/// <param name="State">The task's state now.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly record struct CreateAnswer(string TaskId, CreateResult Result, TaskState State)
{
    /// <summary>Why the definition is <see cref="CreateResult.Invalid"/>; else none.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];
}

/// <summary>What was done with one task that was to be created.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum CreateResult
{
    /// <summary>It is new and stored.</summary>
    Created = 0,

    /// <summary>Its id was known and the stored task was left alone, as asked.</summary>
    Skipped = 1,

    /// <summary>Its id was known and its definition is stored in the place of the other.</summary>
    Replaced = 2,

    /// <summary>Its id was known and nothing was done.</summary>
    Refused = 3,

    /// <summary>Its definition cannot be run or stored, and nothing was done.</summary>
    Invalid = 4,
}

/// <summary>What became of an update.</summary>
/// <param name="Result">What was done.</param>
/// <param name="Faults">Why it was refused; else none.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly record struct UpdateAnswer(UpdateResult Result, IReadOnlyList<string> Faults);

/// <summary>What was done with an update.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum UpdateResult
{
    /// <summary>The definition is stored.</summary>
    Updated = 0,

    /// <summary>There is no such task.</summary>
    Missing = 1,

    /// <summary>The stored definition is of another revision; read it again.</summary>
    Stale = 2,

    /// <summary>The task's state does not allow it.</summary>
    Refused = 3,
}

/// <summary>What became of one task that was to be imported.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="Result"><see cref="CreateResult.Created"/>, or <see cref="CreateResult.Refused"/> where the id is known.</param>
/// <param name="Claim">The claim of a task that is EXECUTED.</param>
public readonly record struct ImportAnswer(string TaskId, CreateResult Result, Guid? Claim);

/// <summary>An executor's last sign of life.</summary>
/// <param name="ExecutorId">Who.</param>
/// <param name="LastPing">When, by the store's clock.</param>
public readonly record struct ExecutorPing(string ExecutorId, DateTimeOffset LastPing);

/// <summary>The state of a store's <see cref="StoreWatch"/>, at one moment of the store's clock.</summary>
/// <param name="Now">The moment.</param>
/// <param name="Since">The end of the last gap.</param>
/// <param name="FirstPing">The oldest ping of all executors; null if none is known.</param>
public readonly record struct WatchAnswer(DateTimeOffset Now, DateTimeOffset Since, DateTimeOffset? FirstPing)
{
    /// <summary>True if some executor was dead at that moment, and the store was there for it to ping.</summary>
    /// <param name="rules">The host's rules.</param>
    public bool IsExpulsionDue(LifecycleRules rules) => FirstPing is { } ping && StoreWatch.ExpulsionFrom(ping, Since, rules) <= Now;
}

/// <summary>Work that no host seems to do, at one moment of the store's clock.</summary>
/// <param name="Now">The moment.</param>
/// <param name="LastWatch">The last sign of a manager (<see cref="IManagerDuties.WatchAsync"/>); null: there has been none.</param>
/// <param name="HasDuty">True if a manager has had something to do for as long as was asked about.</param>
/// <param name="Apps">Apps whose next task to claim has been queued for as long as was asked about while none of their tasks runs, at most 100.</param>
public sealed record UnattendedWork(DateTimeOffset Now, DateTimeOffset? LastWatch, bool HasDuty, IReadOnlyList<string> Apps)
{
    /// <summary>The most apps of one answer.</summary>
    public const int MostApps = 100;
}

/// <summary>Which tasks to list. Members that are null do not matter.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TaskQuery
{
    /// <summary>Tasks in this state.</summary>
    public TaskState? State { get; init; }

    /// <summary>Tasks of this app.</summary>
    public string? AppName { get; init; }

    /// <summary>Tasks of this group.</summary>
    public string? Group { get; init; }

    /// <summary>Tasks of this group id.</summary>
    public string? GroupId { get; init; }

    /// <summary>Tasks of this user.</summary>
    public string? UserId { get; init; }

    /// <summary>True: tasks with cron; false: tasks without.</summary>
    public bool? IsPeriodic { get; init; }

    /// <summary>Tasks whose id begins with this.</summary>
    public string? IdPrefix { get; init; }

    /// <summary>Tasks created then or later.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Tasks created before then.</summary>
    public DateTimeOffset? CreatedTo { get; init; }
}

/// <summary>A place in the order in which tasks are listed.</summary>
/// <param name="Created">The last task's creation.</param>
/// <param name="Id">Its id.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public readonly record struct TaskCursor(DateTimeOffset Created, string Id);

/// <summary>One page of tasks.</summary>
/// <param name="Tasks">The tasks. There may be fewer than were asked for, even none, and more on the next page: a page reads a bounded number of rows.</param>
/// <param name="Next">Where the next page begins; null: this is the last one.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record TaskPage(IReadOnlyList<TaskRecord> Tasks, TaskCursor? Next);

/// <summary>Which notifications to list. Members that are null do not matter.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record NotificationQuery
{
    /// <summary>Those of this user's tasks.</summary>
    public string? UserId { get; init; }

    /// <summary>Those of this task.</summary>
    public string? TaskId { get; init; }

    /// <summary>True: those that are read; false: those that are not.</summary>
    public bool? IsRead { get; init; }

    /// <summary>Those older than this one, for the next page.</summary>
    public long? Before { get; init; }
}

/// <summary>One page of notifications.</summary>
/// <param name="Notifications">The notifications, newest first. There may be fewer than were asked for, even none, and more on the next page.</param>
/// <param name="Next">The <see cref="NotificationQuery.Before"/> of the next page; null: this is the last one.</param>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed record NotificationPage(IReadOnlyList<TaskNotification> Notifications, long? Next);

/// <summary>What a manager's verb did to one task.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="AppName">Its app.</param>
/// <param name="JobId">Its run.</param>
/// <param name="From">Its state before.</param>
/// <param name="To">Its state after.</param>
public readonly record struct TaskMove(string TaskId, string AppName, string JobId, TaskState From, TaskState To)
{
    /// <summary>Of a task that has become FAILED: when it is tried again; null: the failure is final.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Of a task that has become FAILED: the message of its error.</summary>
    public string? Reason { get; init; }

    /// <summary>What a store answers for a task that it has moved.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="appName">Its app.</param>
    /// <param name="from">Its state before.</param>
    /// <param name="state">What it is now.</param>
    public static TaskMove Of(string taskId, string appName, TaskState from, ManagedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var move = new TaskMove(taskId, appName, state.JobId, from, state.State);
        return state.State == TaskState.Failed ? move with { RetryAt = state.RetryAt, Reason = state.Error?.Message } : move;
    }
}

/// <summary>An executor, as the store and the queue know it.</summary>
/// <param name="Id">New at every start.</param>
/// <param name="AppName">The app of its host.</param>
/// <param name="Apps">The apps whose tasks it runs.</param>
/// <param name="Capacity">How many tasks it runs at once.</param>
public sealed record ExecutorInfo(string Id, string AppName, IReadOnlyList<string> Apps, int Capacity);

/// <summary>A claim that an executor believes to hold.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Claim">The claim.</param>
public readonly record struct HeldClaim(string TaskId, Guid Claim);

/// <summary>A run that a client waits for.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="JobId">The run.</param>
public readonly record struct AwaitedRun(string TaskId, string JobId);

/// <summary>What a hint is about.</summary>
[Flags]
public enum StoreHintKinds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A manager may have something to do, or earlier than it knew.</summary>
    Duty = 1,

    /// <summary>A task may be there to claim.</summary>
    Queued = 2,

    /// <summary>A run may have ended, or been reset or deleted.</summary>
    Ended = 4,

    /// <summary>A claim may have been lost by its holder.</summary>
    ClaimLost = 8,

    /// <summary>A notification may have been left.</summary>
    Notified = 16,

    /// <summary>Anything may have happened: what a store tells that knows only that there was something.</summary>
    All = Duty | Queued | Ended | ClaimLost | Notified,
}

/// <summary>Where ids come from: random in life, from a seed in a simulation.</summary>
public abstract class IdSource
{
    /// <summary>Ids from the system's random number generator.</summary>
    public static IdSource Random { get; } = new RandomIds();

    /// <summary>A new id that nobody can guess or has had before.</summary>
    public abstract Guid NewId();

    private sealed class RandomIds : IdSource
    {
        // Ids come from the system's generator, which costs a call into the kernel: for many at a time.
        private const int Together = 64;
        private const int Size = 16;

        [ThreadStatic]
        private static byte[]? _bytes;

        [ThreadStatic]
        private static int _left;

        public override Guid NewId()
        {
            _bytes ??= new byte[Together * Size];
            if (_left == 0)
            {
                RandomNumberGenerator.Fill(_bytes);
                _left = Together;
            }

            // Each is used once, and forgotten here. Version 4 of RFC 9562: random but for the version and the variant.
            var bytes = _bytes.AsSpan(--_left * Size, Size);
            bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
            bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
            var id = new Guid(bytes, bigEndian: true);
            bytes.Clear();
            return id;
        }
    }
}
