using System.Text.Json;
using Kaiju.Tasks.Contracts;

namespace Kaiju.Tasks.Relational;

/// <summary>Batches are bounded in bytes as well as in number, so large tasks do not fail each other.</summary>
public abstract class LargeTaskTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromMinutes(4);

    private protected abstract ValueTask<OpenedStore> OpenAsync();

    [Fact]
    public async Task Ninety_concurrent_creations_of_14_MB_all_succeed()
    {
        await using var opened = await OpenAsync();
        var megabyte = JsonElement.Parse($"{{\"text\":\"{new string('x', 1_000_000)}\"}}");
        var commands = Enumerable.Range(0, 14).Select(_ => new TaskCommand("do", megabyte)).ToList();
        var tasks = Enumerable.Range(0, 90)
            .Select(i => Checked.Definition(new TaskDefinition { Id = $"t{i}", Commands = commands })).ToList();

        var answers = await Task.WhenAll(
            tasks.Select(task => Task.Run(() => opened.Store.CreateAsync([task], OnConflict.Fail, default).AsTask())))
            .WaitAsync(_bound);

        answers.Should().OnlyContain(answer => answer[0].Result == CreateResult.Created);
    }
}

/// <summary>The bounds of a batch.</summary>
public sealed class PiecesTests
{
    [Fact]
    public void Items_are_split_at_the_bound_of_bytes_and_at_that_of_their_number()
    {
        Pieces.Of([4, 4, 4, 8, 8, 20, 1, 1], mb => mb * 1024L * 1024 * 4 / 3).Select(piece => piece.Count)
            .Should().Equal(3, 1, 1, 1, 2);
        Pieces.Of(new int[2500], _ => 1).Select(piece => piece.Count).Should().Equal(1000, 1000, 500);
        Pieces.Of(Array.Empty<int>(), _ => 1).Select(piece => piece.Count).Should().Equal(0);
    }

    [Fact]
    public async Task Calls_that_are_large_together_are_batches_of_their_own()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var carried = new List<int>();
        await using var batches = new Batches<int, int>(
            async (items, _) =>
            {
                await go.Task;
                carried.Add(items.Count);
                return items;
            },
            mb => mb * 1024L * 1024);
        var calls = new[] { 1, 9, 9, 20, 3, 3 }.Select(mb => batches.AddAsync([mb], default).AsTask()).ToList();
        var large = batches.AddAsync([10, 10, 1], default).AsTask();
        go.SetResult();

        await Task.WhenAll(calls);
        (await large).Should().Equal(10, 10, 1);
        carried.Should().Equal(1, 1, 1, 1, 3, 2);
    }
}
