namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>Callers share batches on one thread.</summary>
public sealed class BatchThreadTests : IAsyncDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _begun = new(0);
    private readonly SemaphoreSlim _go = new(0);
    private readonly List<int[]> _batches = [];
    private readonly List<string?> _threads = [];
    private Exception? _fault;
    private BatchThread<int, int>? _made;

    public async ValueTask DisposeAsync()
    {
        _go.Release(1000);
        if (_made is not null)
        {
            await _made.DisposeAsync();
        }

        _begun.Dispose();
        _go.Dispose();
    }

    [Fact]
    public async Task Calls_that_are_added_while_a_batch_runs_are_the_next_batch()
    {
        var batches = New(TimeSpan.Zero);
        var first = batches.AddAsync([1], default);
        await BegunAsync();
        var second = batches.AddAsync([2, 3], default);
        var third = batches.AddAsync([4], default);
        _go.Release(2);

        (await first).Should().Equal(10);
        (await second).Should().Equal(20, 30);
        (await third).Should().Equal(40);
        _batches.Should().BeEquivalentTo([new[] { 1 }, [2, 3, 4]], options => options.WithStrictOrdering());
        _threads.Should().OnlyContain(thread => thread == "the batches'");
    }

    [Fact]
    public async Task A_batch_waits_for_as_many_callers_as_the_one_before_had()
    {
        var batches = New(_bound);
        await AnswerTwoTogetherAsync(batches);

        var fourth = batches.AddAsync([4], default);
        var fifth = batches.AddAsync([5], default);
        await fourth;
        await fifth;

        _batches.Should().BeEquivalentTo([new[] { 1 }, [2, 3], [4, 5]], options => options.WithStrictOrdering());
    }

    [Fact]
    public async Task A_batch_waits_for_callers_at_most_for_its_patience()
    {
        var batches = New(TimeSpan.FromMilliseconds(1));
        await AnswerTwoTogetherAsync(batches);

        (await batches.AddAsync([4], default)).Should().Equal(40);
    }

    [Fact]
    public async Task A_fault_reaches_every_caller_of_its_batch_and_no_other()
    {
        var batches = New(TimeSpan.Zero);
        _fault = new InvalidOperationException("broken");
        var first = batches.AddAsync([1], default);
        await BegunAsync();
        _go.Release();
        await FluentActions.Awaiting(() => first.AsTask()).Should()
            .ThrowAsync<InvalidOperationException>().WithMessage("broken");

        _fault = null;
        _go.Release();
        (await batches.AddAsync([2], default)).Should().Equal(20);
    }

    [Fact]
    public async Task A_caller_may_cancel_while_its_batch_runs()
    {
        var batches = New(TimeSpan.Zero);
        using var cancel = new CancellationTokenSource();
        var first = batches.AddAsync([1], cancel.Token);
        await BegunAsync();
        await cancel.CancelAsync();
        await FluentActions.Awaiting(() => first.AsTask()).Should().ThrowAsync<OperationCanceledException>();

        _go.Release(2);
        (await batches.AddAsync([2], default)).Should().Equal(20);
    }

    [Fact]
    public async Task Disposal_completes_when_every_earlier_call_is_answered_and_later_calls_are_refused()
    {
        var batches = New(TimeSpan.Zero);
        var first = batches.AddAsync([1], default);
        await BegunAsync();
        var second = batches.AddAsync([2], default);
        var end = batches.DisposeAsync();

        await FluentActions.Awaiting(() => batches.AddAsync([3], default).AsTask()).Should()
            .ThrowAsync<ObjectDisposedException>();
        end.IsCompleted.Should().BeFalse();
        _go.Release(2);
        await end;

        (await first).Should().Equal(10);
        (await second).Should().Equal(20);
    }

    [Fact]
    public async Task A_call_that_has_not_begun_fails_when_the_thread_is_abandoned()
    {
        var batches = New(TimeSpan.Zero);
        var first = batches.AddAsync([1], default);
        await BegunAsync();
        var second = batches.AddAsync([2], default);
        batches.Abandon();

        await FluentActions.Awaiting(() => second.AsTask().WaitAsync(_bound)).Should()
            .ThrowAsync<ObjectDisposedException>();
        first.IsCompleted.Should().BeFalse();
        _go.Release(1);
        (await first).Should().Equal(10);
    }

    [Fact]
    public async Task An_unused_thread_is_disposed_at_once() => await New(TimeSpan.Zero).DisposeAsync();

    /// <summary>A batch of one caller, and one of two callers that arrive while it runs; both are answered.</summary>
    private async Task AnswerTwoTogetherAsync(BatchThread<int, int> batches)
    {
        var first = batches.AddAsync([1], default);
        await BegunAsync();
        Task<IReadOnlyList<int>>[] two = [
            batches.AddAsync([2], default).AsTask(), batches.AddAsync([3], default).AsTask()];
        _go.Release(1000);
        await first;
        await Task.WhenAll(two);
    }

    private BatchThread<int, int> New(TimeSpan patience) =>
        _made = new BatchThread<int, int>("the batches'", patience, items =>
    {
        _begun.Release();
        _go.Wait(_bound).Should().BeTrue();
        _batches.Add([.. items]);
        _threads.Add(Thread.CurrentThread.Name);
        return _fault is null ? items.Select(item => item * 10).ToList() : throw _fault;
    }, _ => 1);

    private async Task BegunAsync() => (await _begun.WaitAsync(_bound)).Should().BeTrue();
}
