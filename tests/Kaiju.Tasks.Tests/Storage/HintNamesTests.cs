using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Storage;

/// <summary>The names in hints, and their cost.</summary>
public sealed class HintNamesTests
{
    [Fact]
    public void A_set_has_each_name_once_and_is_any_beyond_its_bound()
    {
        var names = default(HintNames);
        names.Should().Match<HintNames>(set => !set.IsAny && set.Count == 0 && !set.MayContain("a"));
        for (var i = 0; i < HintNames.Most; i++)
        {
            names = names.With($"n{i}").With("n0");
        }

        names.Count.Should().Be(HintNames.Most);
        names.MayContain("n31").Should().BeTrue();
        names.MayContain("other").Should().BeFalse();
        names.With("n5").Should().Be(names);
        names.With("other").IsAny.Should().BeTrue();
        names.With("other").MayContain("whatever").Should().BeTrue();
        names.With(name: null).IsAny.Should().BeTrue();
        HintNames.Any.With("a").IsAny.Should().BeTrue();
    }

    [Fact]
    public void Sets_that_grow_from_the_same_set_do_not_see_each_others_names()
    {
        var both = default(HintNames).With("a").With("b");
        var (left, right) = (both.With("left"), both.With("right"));

        left.ToString().Should().Be("a, b, left");
        right.ToString().Should().Be("a, b, right");
        left.With(right).ToString().Should().Be("a, b, left, right");
        both.Count.Should().Be(2);
    }

    [Fact]
    public void A_hint_names_apps_of_queued_tasks_and_ids_of_ended_ones()
    {
        var hint = default(StoreHint)
            .With(StoreHintKinds.Queued, "shop", "t1")
            .With(StoreHintKinds.Duty, "mail", "t2")
            .With(StoreHintKinds.Ended | StoreHintKinds.Notified, "billing", "t3")
            .With(StoreHintKinds.None, null, null);

        hint.Kinds.Should().Be(StoreHintKinds.All & ~StoreHintKinds.ClaimLost);
        hint.Apps.ToString().Should().Be("shop");
        hint.TaskIds.ToString().Should().Be("t3");
        hint.MayQueue(["mail", "shop"]).Should().BeTrue();
        hint.MayQueue(["mail"]).Should().BeFalse();
        hint.With(new StoreHint(StoreHintKinds.Ended)).Should().Match<StoreHint>(
            both => both.TaskIds.IsAny && !both.Apps.IsAny);
        new StoreHint(StoreHintKinds.Queued).MayQueue(["mail"]).Should().BeTrue();
        new StoreHint(StoreHintKinds.Ended).MayQueue(["mail"]).Should().BeFalse();
    }

    [Fact]
    public void A_hint_of_one_app_and_one_task_allocates_nothing()
    {
        var hint = default(StoreHint);
        Build();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Build();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        hint.TaskIds.Count.Should().Be(1);

        void Build()
        {
            hint = default;
            for (var i = 0; i < 100; i++)
            {
                hint = hint.With(StoreHintKinds.Queued | StoreHintKinds.Ended, "shop", "t");
            }
        }
    }
}
