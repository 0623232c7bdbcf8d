using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Storage;

public sealed class CreationWavesTests
{
    [Fact]
    public void A_batch_of_different_ids_is_one_wave() => Cut("a", "b", "c").Should().Equal("0 1 2");

    [Fact]
    public void An_id_that_comes_again_is_in_a_later_wave() => Cut("a", "b", "a", "c", "a", "b").Should().Equal("0 1 3", "2 5", "4");

    [Fact]
    public void Ids_that_differ_in_case_are_different() => Cut("a", "A").Should().Equal("0 1");

    [Fact]
    public void An_empty_batch_has_no_wave() => Cut().Should().BeEmpty();

    private static IEnumerable<string> Cut(params string[] ids) => CreationWaves
        .Cut([.. ids.Select(id => new TaskDefinition { Id = id, Commands = [new("do")] })])
        .Select(places => string.Join(' ', places.Order()));
}
