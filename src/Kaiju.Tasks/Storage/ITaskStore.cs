using System.Text.Json;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.Storage;

/// <summary>
/// The truth about tasks. Every member is one atomic step: it happens whole or not at all, and what it answers has happened when
/// it answers. What a step changes is decided by <see cref="TaskLifecycle"/> alone, by the store's own clock. Members may be
/// called by any number of managers, executors and clients at once.
/// <para>Guards: a report is fenced by claim and stage; each manager's verb by the state that it starts from, so that two managers
/// do nothing twice; chaining happens in the transaction that finishes the task before.</para>
/// </summary>
public interface ITaskStore
{
    /// <summary>Stores new tasks. Each item stands alone: what is wrong with one leaves the others as they are.</summary>
    /// <param name="tasks">Definitions that <see cref="TaskDefinitionChecker.Prepare"/> has made complete.</param>
    /// <param name="onConflict">What to do on a known id.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>An answer for each, in order.</returns>
    ValueTask<IReadOnlyList<CreateAnswer>> CreateAsync(IReadOnlyList<TaskDefinition> tasks, OnConflict onConflict, CancellationToken cancellationToken);

    /// <summary>Stores tasks of somewhere else as they are, with their results and their state (<see cref="TaskImport"/>). Each item stands alone; a known id is refused.</summary>
    /// <param name="tasks">Tasks whose definitions <see cref="TaskDefinitionChecker.PrepareImport"/> has made complete.</param>
    /// <param name="executors">Executors that hold some of them, with their last pings; one that is later than the store's time counts as now.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>An answer for each, in order; for an EXECUTED task its claim.</returns>
    ValueTask<IReadOnlyList<ImportAnswer>> ImportAsync(IReadOnlyList<TaskRecord> tasks, IReadOnlyList<ExecutorPing> executors, CancellationToken cancellationToken);

    /// <summary>A task, or null.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask<TaskRecord?> GetAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>The outcome of a run that has ended: the current one, or one of the last <see cref="LifecycleRules.KeptRuns"/> before it; else null.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="jobId">The run.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask<TaskRun?> GetRunAsync(string taskId, string jobId, CancellationToken cancellationToken);

    /// <summary>
    /// Of runs that clients wait for, those that are to be looked at: a run that has ended, or that is not its task's current run, or whose task
    /// does not exist. Asked for all waiters of a process at once and often, so it reads neither definitions nor results.
    /// </summary>
    /// <param name="runs">The runs, at most 1,000.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Those of them, in any order.</returns>
    ValueTask<IReadOnlyList<AwaitedRun>> FindEndedRunsAsync(IReadOnlyList<AwaitedRun> runs, CancellationToken cancellationToken);

    /// <summary>The runs of a task that have ended and are kept, the latest first: the current one, if it has, and those before it.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>None if there is no such task.</returns>
    ValueTask<IReadOnlyList<TaskRun>> ListRunsAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>The history of the run that is shown, in the order in which it was recorded: results and failures of all its passes.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>None if there is no such task.</returns>
    ValueTask<IReadOnlyList<StageEntry>> GetStagesAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>Puts a definition in the place of an older one, if <see cref="TaskUpdate"/> allows it in the task's state.</summary>
    /// <param name="definition">The definition, complete.</param>
    /// <param name="revision">The revision that it was made from: another one means that somebody else was faster.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask<UpdateAnswer> UpdateAsync(TaskDefinition definition, int revision, CancellationToken cancellationToken);

    /// <summary>A page of tasks in the order of their creation, then of their ids.</summary>
    /// <param name="query">Which.</param>
    /// <param name="after">Begins behind this one; null: at the first.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>A page that has cost a bounded number of rows and bytes, so that it may be short or empty although others follow.</returns>
    ValueTask<TaskPage> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>A page of notifications, newest first.</summary>
    /// <param name="query">Which.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>A page that has cost a bounded number of rows and bytes, so that it may be short or empty although others follow.</returns>
    ValueTask<NotificationPage> ListNotificationsAsync(NotificationQuery query, int limit, CancellationToken cancellationToken);

    /// <summary>Marks notifications as read.</summary>
    /// <param name="ids">Which.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>How many were not read before.</returns>
    ValueTask<int> MarkReadAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken);

    /// <summary>Notifications that no sink has had yet, oldest first.</summary>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>None if there are none; fewer than <paramref name="limit"/> may be answered although others follow, since bytes are bounded too.</returns>
    ValueTask<IReadOnlyList<TaskNotification>> ListUndeliveredAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Notes that sinks have had notifications.</summary>
    /// <param name="ids">Which.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask MarkDeliveredAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken);

    /// <summary>Deletes notifications that are older than <paramref name="age"/>, whether they are read and delivered or not.</summary>
    /// <param name="age">Since they were left.</param>
    /// <param name="limit">How many at most, the oldest first.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>How many are gone.</returns>
    ValueTask<int> DeleteNotificationsAsync(TimeSpan age, int limit, CancellationToken cancellationToken);

    /// <summary>Deletes a task with its results; whoever runs it finds its claim lost.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>False: there is no such task.</returns>
    ValueTask<bool> DeleteAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>Deletes tasks that ended for good longer ago than <paramref name="age"/>; periodic ones and those marked <see cref="TaskDefinition.System"/> stay.</summary>
    /// <param name="age">By the time at which they ended.</param>
    /// <param name="limit">How many at most, the oldest first.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>The ids of those that are gone.</returns>
    ValueTask<IReadOnlyList<string>> DeleteEndedAsync(TimeSpan age, int limit, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.Reset"/>.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>False: there is no such task.</returns>
    ValueTask<bool> ResetAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.Cancelled"/>.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>False: there is no such task, or its run has ended.</returns>
    ValueTask<bool> CancelAsync(string taskId, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.MessageSent"/>.</summary>
    /// <param name="taskId">The id.</param>
    /// <param name="data">The message.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>False: there is no such task, or it does not wait for a message, or its time for one is over.</returns>
    ValueTask<bool> SendMessageAsync(string taskId, JsonElement data, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps the store's one <see cref="StoreWatch"/>: applies <see cref="StoreWatch.Next"/> and stores what it says, in one guarded statement
    /// that waits for no other manager. Managers call it in a rhythm of their own, whatever there is to do.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    /// <returns>What a manager needs to know before it expels anyone.</returns>
    ValueTask<WatchAnswer> WatchAsync(CancellationToken cancellationToken);

    /// <summary>Finds work that no host seems to do, without noting anything and without waiting for anyone.</summary>
    /// <param name="age">The time for which work must have waited, more than 0.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<UnattendedWork> FindUnattendedAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets executors that have been silent for longer than <see cref="LifecycleRules.ExecutorLifetime"/> at a given time, and carries out
    /// <see cref="TaskEvent.Interrupted"/> for their tasks. Whether the store was there for them to ping is the caller's question.
    /// </summary>
    /// <param name="asOf">The time, by the store's clock, as <see cref="WatchAsync"/> answers it; null for now. What is later is not held against an executor.</param>
    /// <param name="limit">The most tasks to move; an executor is forgotten with its last one.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(DateTimeOffset? asOf, int limit, CancellationToken cancellationToken);

    /// <summary>Like <see cref="ExpelDeadExecutorsAsync(DateTimeOffset?, int, CancellationToken)"/>, as of now.</summary>
    /// <param name="limit">The most tasks to move; an executor is forgotten with its last one.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> ExpelDeadExecutorsAsync(int limit, CancellationToken cancellationToken) =>
        ExpelDeadExecutorsAsync(null, limit, cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.CheckOverdue"/> for tasks that are.</summary>
    /// <param name="limit">How many at most, the longest overdue first.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask<IReadOnlyList<TaskMove>> AbortOverdueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.NextPeriod"/> for periodic tasks that have ended.</summary>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask<IReadOnlyList<TaskMove>> RestartPeriodicAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.CheckWait"/> for waits that are over.</summary>
    /// <param name="limit">How many at most, the longest over first.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask<IReadOnlyList<TaskMove>> WakeWaitsAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.QueueDue"/> for IDLE tasks that are due and for SUSPENDED ones.</summary>
    /// <param name="limit">How many at most, the longest due first.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask<IReadOnlyList<TaskMove>> QueueDueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.CheckRetry"/> for FAILED tasks whose retry is due.</summary>
    /// <param name="limit">How many at most, the longest due first.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask<IReadOnlyList<TaskMove>> RequeueFailedAsync(int limit, CancellationToken cancellationToken);

    /// <summary>How long, by the store's clock, until a manager has something to do; zero if it has now, null if nothing is in sight. Deaths of executors are those of <see cref="StoreWatch.FirstExpulsion"/>.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask<TimeSpan?> GetTimeToNextDutyAsync(CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.Claimed"/> for tasks that a queue other than the store handed out.</summary>
    /// <param name="executor">Who; it becomes known if it is not.</param>
    /// <param name="taskIds">Which.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened: <see cref="GiveBackStrayClaimsAsync"/> gives back what it took.</param>
    /// <returns>Those that were QUEUED and enabled.</returns>
    ValueTask<IReadOnlyList<ExecutorTask>> ClaimAsync(ExecutorInfo executor, IReadOnlyList<string> taskIds, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out <see cref="TaskEvent.Reported"/>. Each report stands alone. The last stage's report also leaves the notification
    /// and starts the next task. A report delivered again is answered <see cref="ReportAnswer.Recorded"/> and changes nothing.
    /// </summary>
    /// <param name="reports">At most one for each claim.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened: deliver the same report again to know.</param>
    /// <returns>An answer for each, in order.</returns>
    ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken);

    /// <summary>Notes that an executor lives, by the store's clock, and makes it known if it is not.</summary>
    /// <param name="executor">Who.</param>
    /// <param name="claims">What it runs.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    /// <returns>The claims of these that it does not hold any more.</returns>
    ValueTask<IReadOnlyList<Guid>> HeartbeatAsync(ExecutorInfo executor, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>The executors that are known, with their last pings.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask<IReadOnlyList<ExecutorPing>> ListExecutorsAsync(CancellationToken cancellationToken);

    /// <summary>The claims that are not held any more, without noting anything.</summary>
    /// <param name="claims">What an executor runs.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask<IReadOnlyList<Guid>> FindLostClaimsAsync(IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out <see cref="TaskEvent.GivenBack"/> for what an executor holds but does not know of: claims whose answer was lost on the
    /// way. The executor asks for it between such a claim and its next one.
    /// </summary>
    /// <param name="executorId">Who.</param>
    /// <param name="known">The claims that it knows of.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask<IReadOnlyList<TaskMove>> GiveBackStrayClaimsAsync(string executorId, IReadOnlyList<HeldClaim> known, CancellationToken cancellationToken);

    /// <summary>Finds claims that an executor holds and does not list, without noting anything and without waiting for anyone. A claim that is still on its way to the executor is one of them.</summary>
    /// <param name="executorId">The executor.</param>
    /// <param name="known">The claims that it knows of.</param>
    /// <param name="limit">The most claims to answer.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    ValueTask<IReadOnlyList<HeldClaim>> FindStrayClaimsAsync(string executorId, IReadOnlyList<HeldClaim> known, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Carries out <see cref="TaskEvent.GivenBack"/> for these claims of an executor. A claim that it does not hold any more is left alone, and so
    /// is a task that another step holds at this moment: nothing here waits for a row.
    /// </summary>
    /// <param name="executorId">The executor.</param>
    /// <param name="claims">The claims.</param>
    /// <param name="cancellationToken">Cancels the wait; the step may still happen.</param>
    ValueTask<IReadOnlyList<TaskMove>> GiveBackClaimsAsync(string executorId, IReadOnlyList<HeldClaim> claims, CancellationToken cancellationToken);

    /// <summary>Carries out <see cref="TaskEvent.GivenBack"/> for all that an executor holds, and forgets the executor.</summary>
    /// <param name="executorId">Who.</param>
    /// <param name="cancellationToken">Gives up waiting; the step may have happened.</param>
    ValueTask<IReadOnlyList<TaskMove>> SuspendExecutorAsync(string executorId, CancellationToken cancellationToken);

    /// <summary>Asks for hints that something has changed. Hints may be lost, late, doubled or for nothing; whoever asks polls as well.</summary>
    /// <param name="listener">Called on any thread; returns at once and throws nothing.</param>
    /// <returns>Ends it.</returns>
    IDisposable Listen(Action<StoreHint> listener);
}
