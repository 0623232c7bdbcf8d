using System.Globalization;
using Kaiju.Tasks.Lifecycle;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// The current and earlier claims, and the reports that were recorded, to make reports with right and wrong claims.
/// </summary>
internal sealed class ModelClaims(StoreModel model)
{
    private readonly List<KnownClaim> _claims = [];
    private readonly Dictionary<string, long> _storeKeys = new(StringComparer.Ordinal);
    private readonly List<StageReport> _recorded = [];
    private int _strangers;

    /// <summary>A claim that an executor holds or has held.</summary>
    private sealed record KnownClaim(string TaskId, Guid Claim, string? ExecutorId, string JobId, int Attempt);

    public bool IsNew(Guid claim) => claim != Guid.Empty && _claims.TrueForAll(known => known.Claim != claim);

    public void Learn(ModelTask task)
    {
        if (task.State.Claim is { } claim)
        {
            _claims.Add(new KnownClaim(task.Id, claim, task.State.ExecutorId, task.State.JobId, task.State.Attempt));
        }
    }

    /// <summary>Keeps the store's key of a claimed task.</summary>
    public void KeepStoreKey(string taskId, long storeKey) => _storeKeys[taskId] = storeKey;

    /// <summary>Keeps a recorded report, to deliver it again.</summary>
    public void Keep(StageReport report) => _recorded.Add(report);

    /// <summary>Finds claims that an executor has lost, at most a given number.</summary>
    public List<HeldClaim> FindLost(string executorId, int most) =>
    [
        .. _claims
            .Where(claim => claim.ExecutorId == executorId && model.Find(claim.TaskId)?.State.Claim != claim.Claim)
            .TakeLast(most)
            .Select(claim => new HeldClaim(claim.TaskId, claim.Claim)),
    ];

    public StageReport? ReportOf(ReportSpec spec)
    {
        if (spec.By == ReportBy.Repeated)
        {
            return _recorded.Count == 0 ? null : _recorded[^(1 + (spec.Nth % _recorded.Count))];
        }

        var executed = model.Tasks.Values.Where(task => task.State.Claim is not null).ToList();
        var others = executed.Count > 0 ? executed : [.. model.Tasks.Values];
        if (others.Count == 0)
        {
            return null;
        }

        var task = others[spec.Nth % others.Count];
        var holder = _claims.Find(claim => claim.Claim == task.State.Claim);
        var by = spec.By switch
        {
            ReportBy.HolderOfBefore =>
                _claims.FindLast(claim => claim.TaskId == task.Id && claim.Claim != task.State.Claim),
            ReportBy.HolderOfAnother => _claims.FindLast(claim => claim.TaskId != task.Id),
            ReportBy.Nobody => null,
            _ => holder,
        };
        return new StageReport
        {
            TaskId = task.Id,
            Claim = by?.Claim ?? Stranger(),
            JobId = by?.JobId ?? task.State.JobId,
            Attempt = by?.Attempt ?? task.State.Attempt,
            Stage = task.State.Stage + (spec.By == ReportBy.HolderAtNextStage
                ? 1
                : spec.By == ReportBy.HolderAtStageBefore ? -1 : 0),
            Outcome = spec.Outcome,
            Elapsed = spec.Elapsed,

            // Now and then without the key, as an executor that does not know it.
            StoreKey = spec.Nth % 4 == 3 ? 0 : _storeKeys.GetValueOrDefault(task.Id),
        };
    }

    /// <summary>A claim that was never given; the same at every repetition of a sequence.</summary>
    private Guid Stranger() =>
        Guid.Parse(string.Create(CultureInfo.InvariantCulture, $"00000000-0000-0000-0000-{++_strangers:d12}"));
}
