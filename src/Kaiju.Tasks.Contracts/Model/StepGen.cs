using System.Text.Json;
using CsCheck;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>Generates the steps of sequences, with their frequencies.</summary>
internal static class StepGen
{
    private static readonly Gen<int> _id = Gen.Int[0, ModelDefinitions.Ids.Count - 1];
    private static readonly Gen<int> _shape = Gen.Int[0, ModelDefinitions.Names.Count - 1];
    private static readonly Gen<int> _executor = Gen.Int[0, ModelDefinitions.Executors.Count - 1];
    private static readonly Gen<int> _limit = Gen.Int[1, 3];

    private static readonly Gen<TimeSpan> _time =
        Gen.OneOf(0, 1, 999, 1000, 2000, 5000, 9999, 10_000, 20_001, 30_000, 60_000, 60_001, 90_001, 200_000, 311_000)
            .Select(ms => TimeSpan.FromMilliseconds(ms));

    private static readonly Gen<string> _method = Gen.OneOf(ModelDefinitions.Methods.ToArray());

    private static readonly Gen<StageOutcome> _outcome = Gen.Frequency(
        (
            6,
            Gen.OneOf("null", "1", "\"text\"", "{\"a\":[1,2]}").Select(
                json => StageOutcome.Completed(JsonElement.Parse(json)))),
        (2, Gen.Const(StageOutcome.Failed(ModelDefinitions.Boom))),
        (1, Gen.Const(StageOutcome.Failed(ModelDefinitions.Boom, TaskExitCode.Aborted))),
        (1, Gen.Const(StageOutcome.Failed(ModelDefinitions.BoomWithData, isFinal: true))),
        (
            1,
            Gen.OneOf(0, 1500, 60_000).Select(ms =>
                StageOutcome.Failed(ModelDefinitions.Boom, retryAfter: TimeSpan.FromMilliseconds(ms)))),
        (1, Gen.OneOf(1, 5000, 60_000).Select(ms => StageOutcome.WaitFor(TimeSpan.FromMilliseconds(ms)))),
        (
            1,
            Gen.OneOf<int?>(null, 5000, 60_000).Select(
                ms => StageOutcome.WaitForMessage(ms is { } time ? TimeSpan.FromMilliseconds(time) : null))),
        (1, Gen.OneOf(1, 5000, 60_000).Select(ms => StageOutcome.Snooze(TimeSpan.FromMilliseconds(ms)))),
        (1, _method.Select(StageOutcome.PutBack)));

    private static readonly Gen<ReportBy> _by = Gen.Frequency(
        (14, Gen.Const(ReportBy.Holder)),
        (3, Gen.Const(ReportBy.Repeated)),
        (
            3,
            Gen.OneOf(
                ReportBy.HolderOfBefore,
                ReportBy.HolderOfAnother,
                ReportBy.Nobody,
                ReportBy.HolderAtNextStage,
                ReportBy.HolderAtStageBefore)));

    private static readonly Gen<ReportSpec> _report = Gen.Select(
        Gen.Int[0, 3], _by, _outcome, _time, (nth, by, outcome, elapsed) => new ReportSpec(nth, by, outcome, elapsed));

    private static readonly Gen<OutsideVerb> _outside = Gen.Frequency(
        (4, OutsideVerb.Message), (3, OutsideVerb.Cancel), (2, OutsideVerb.Reset), (1, OutsideVerb.Delete));

    private static readonly Gen<BulkVerb> _bulk = Gen.Frequency(
        (4, BulkVerb.Retry), (2, BulkVerb.Cancel), (1, BulkVerb.Delete));

    private static readonly Gen<ExecutorVerb> _verb = Gen.Frequency(
        (6, ExecutorVerb.Heartbeat),
        (2, ExecutorVerb.FindLost),
        (2, ExecutorVerb.GiveBackStray),
        (2, ExecutorVerb.Suspend));

    // Most are of one method: while an app is paused, its tasks get nowhere.
    private static readonly Gen<(string? App, string? Method)> _route = Gen.Frequency(
        (4, Gen.Select(Gen.OneOf<string?>(null, "default", "other"), _method, (app, method) => (app, (string?)method))),
        (1, Gen.OneOf("default", "other").Select(app => ((string?)app, (string?)null))));

    // The last changes, which give a run other work.
    private static readonly Gen<int> _newWork =
        Gen.Int[ModelDefinitions.ChangeNames.Count - 4, ModelDefinitions.ChangeNames.Count - 1];

    private static readonly Gen<ModelStep> _step = Gen.Frequency(
        (
            14,
            Gen.Select(
                Gen.Select(_id, _shape).Array[1, 3],
                Gen.OneOf(OnConflict.Replace, OnConflict.Skip, OnConflict.Fail),
                Create)),
        (3, Gen.Select(_id, Gen.Int[0, ModelDefinitions.ForeignNames.Count - 1], _id.Nullable(), Gen.Bool, Import)),
        (12, Gen.Select(_outside, _id, Outside)),
        (3, Gen.Select(Gen.OneOf(OutsideVerb.Cancel, OutsideVerb.Reset).Array[2, 4], _id, Series)),
        (
            6,
            Gen.Select(
                _id, Gen.Int[0, ModelDefinitions.ChangeNames.Count - 1], Gen.Frequency((9, false), (1, true)), Update)),
        (10, Gen.Select(
            _id,
            Gen.Bool,
            Gen.Bool,
            Gen.Frequency((3, Gen.Const(0)), (2, Gen.Int[1, RetryStep.Changes.Count - 1])),
            Retry)),
        (2, Gen.Select(_bulk, Gen.Enum<TaskState>(), Gen.Bool, _limit, Gen.Frequency((4, false), (1, true)), Bulk)),
        (
            8,
            Gen.Select(
                _id,
                _shape,
                Gen.Frequency((2, Gen.Int[0, ModelDefinitions.ChangeNames.Count - 1]), (1, _newWork)),
                Gen.Long[0, 3].Nullable(),
                Upsert)),
        (3, Gen.Select(Gen.Bool, _time, _limit, DeleteEnded)),
        (13, _time.Select(Advance)),
        (2, Gen.OneOf(1000, 30_000, 60_001, 200_000).Select(ms => TimeSpan.FromMilliseconds(ms)).Select(PutBack)),
        (12, Gen.Select(_executor, Gen.Int[0, 4], Gen.OneOf(1L, 1500, 1_000_000, 1_000_000), ClaimNext)),
        (4, Gen.Select(_executor, _id.Array[1, 3], ClaimById)),
        (22, Gen.Frequency((4, _report.Array[1]), (1, _report.Array[2, 4])).Select(Report)),
        (10, Gen.Select(Gen.Enum<ManagerVerb>(), _limit, Manager)),
        (9, Gen.Const<ModelStep>(new TickStep())),
        (4, Gen.Select(_route, Gen.OneOf<int?>(null, 0, 5000, 60_000), Pause)),
        (4, _route.Select(Resume)),
        (6, Gen.Select(_limit, Gen.Bool, Repair)),
        (3, Gen.Select(_executor, _id, _method.Array[2, 4], Miss)),
        (12, _outcome.Select(Drive)),
        (12, Gen.Select(_verb, _executor, Gen.Int[0, 1], Gen.Int[0, 2], Executor)),
        (3, Gen.Select(Gen.Int[0, 32_767], Gen.Enum<TaskState>(), Gen.Int[0, 3], _id.Nullable(), _limit, List)),
        (2, Gen.Select(Gen.Int[0, 3], Gen.Bool, Mark)),
        (
            2,
            Gen.Select(
                Gen.Int[0, 2].Nullable(),
                _id.Nullable(),
                Gen.Bool.Nullable(),
                Gen.Int[0, 9].Nullable(),
                _limit,
                Notifications)));

    public static Gen<ModelSequence> Sequence(int most) =>
        Gen.Select(Gen.Enum<RuleSet>(), _step.Array[1, most], (rules, steps) => new ModelSequence(rules, steps));

    // Methods with a return type, since each lambda would have to name its type twice: as itself and as a step.
    private static ModelStep Create((int, int)[] tasks, OnConflict onConflict) => new CreateStep(tasks, onConflict);

    private static ModelStep Import(int id, int foreign, int? copyOf, bool withPing) =>
        new ImportStep(id, foreign, copyOf, withPing);

    private static ModelStep Outside(OutsideVerb verb, int id) => new OutsideStep(verb, id);

    private static ModelStep Series(OutsideVerb[] verbs, int id) => new SeriesStep(verbs, id);

    private static ModelStep Retry(int id, bool cancelsFirst, bool restartsFirst, int change) =>
        new RetryStep(id, cancelsFirst, restartsFirst, change);

    private static ModelStep Bulk(BulkVerb verb, TaskState state, bool newestFirst, int limit, bool dryRun) =>
        new BulkStep(verb, state, newestFirst, limit, dryRun);

    private static ModelStep Update(int id, int change, bool isStale) => new UpdateStep(id, change, isStale);

    private static ModelStep Upsert(int id, int shape, int change, long? version) =>
        new UpsertStep(id, shape, change, version);

    private static ModelStep DeleteEnded(bool isFailed, TimeSpan age, int limit) =>
        new DeleteEndedStep(isFailed ? TaskState.Failed : TaskState.Finished, age, limit);

    private static ModelStep Advance(TimeSpan by) => new AdvanceStep(by);

    private static ModelStep PutBack(TimeSpan by) => new PutBackStep(by);

    private static ModelStep ClaimNext(int executor, int tasks, long bytes) =>
        new ClaimNextStep(executor, tasks, bytes);

    private static ModelStep ClaimById(int executor, int[] ids) => new ClaimByIdStep(executor, ids);

    private static ModelStep Report(ReportSpec[] reports) => new ReportStep(reports);

    private static ModelStep Manager(ManagerVerb verb, int limit) => new ManagerStep(verb, limit);

    private static ModelStep Pause((string? App, string? Method) route, int? ms) =>
        new PauseStep(route.App, route.Method, ms is { } time ? TimeSpan.FromMilliseconds(time) : null);

    private static ModelStep Resume((string? App, string? Method) route) => new ResumeStep(route.App, route.Method);

    private static ModelStep Repair(int limit, bool toEnd) => new RepairStep(limit, toEnd);

    private static ModelStep Miss(int executor, int id, string[] methods) => new MissStep(executor, id, methods);

    private static ModelStep Drive(StageOutcome outcome) => new DriveStep(outcome);

    private static ModelStep Executor(ExecutorVerb verb, int executor, int forgotten, int old) =>
        new ExecutorStep(verb, executor, forgotten, old);

    private static ModelStep List(int filters, TaskState state, int value, int? after, int limit) =>
        new ListStep(filters, state, value, after, limit);

    private static ModelStep Mark(int nth, bool asDelivered) => new MarkStep(nth, asDelivered);

    private static ModelStep Notifications(int? user, int? id, bool? isRead, int? before, int limit) =>
        new NotificationsStep(user, id, isRead, before, limit);
}
