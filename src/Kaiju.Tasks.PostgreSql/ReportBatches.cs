using System.Threading.Channels;
using Kaiju.Tasks.Lifecycle;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Reports of stages that run at the same time leave together: what comes while a batch is on its way is the next batch. Alone a report
/// waits for nothing; many share one round trip and one commit.
/// </summary>
internal sealed class ReportBatches : IAsyncDisposable
{
    private const int Most = 1000;

    private readonly Func<IReadOnlyList<StageReport>, CancellationToken, ValueTask<IReadOnlyList<ReportAnswer>>> _record;
    private readonly Channel<Waiting> _waiting = Channel.CreateUnbounded<Waiting>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _loop;

    public ReportBatches(Func<IReadOnlyList<StageReport>, CancellationToken, ValueTask<IReadOnlyList<ReportAnswer>>> record)
    {
        _record = record;
        _loop = Task.Run(RunAsync);
    }

    public async ValueTask<IReadOnlyList<ReportAnswer>> RecordAsync(IReadOnlyList<StageReport> reports, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(reports);
        ObjectDisposedException.ThrowIf(!_waiting.Writer.TryWrite(waiting), this);
        return await waiting.Answers.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var batch = new List<Waiting>();
        while (await _waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            for (var count = 0; count < Most && _waiting.Reader.TryRead(out var next); count += next.Reports.Count)
            {
                batch.Add(next);
            }

            await RecordAsync(batch).ConfigureAwait(false);
            batch.Clear();
        }
    }

    private async Task RecordAsync(List<Waiting> batch)
    {
        try
        {
            var answers = await _record([.. batch.SelectMany(waiting => waiting.Reports)], CancellationToken.None).ConfigureAwait(false);
            var place = 0;
            foreach (var waiting in batch)
            {
                waiting.Answers.TrySetResult([.. answers.Skip(place).Take(waiting.Reports.Count)]);
                place += waiting.Reports.Count;
            }
        }
        catch (Exception e)
        {
            // Nobody knows what has happened; each delivers its report again.
            batch.ForEach(waiting => waiting.Answers.TrySetException(e));
        }
    }

    private sealed record Waiting(IReadOnlyList<StageReport> Reports)
    {
        public TaskCompletionSource<IReadOnlyList<ReportAnswer>> Answers { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
