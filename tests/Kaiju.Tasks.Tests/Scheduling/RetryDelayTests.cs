
namespace Kaiju.Tasks.Tests.Scheduling;

public sealed class RetryDelayTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(9, 256)]
    public void The_default_doubles_from_one_second_with_20_percent_jitter(int retry, double seconds)
    {
        for (var run = 0; run < 100; run++)
        {
            RetryDelay.Default.GetDelay($"run-{run}", retry).TotalSeconds.Should().BeInRange(
                seconds * 0.8, seconds * 1.2);
        }
    }

    [Theory]
    [InlineData(20)]
    [InlineData(1000)]
    public void The_default_is_at_most_ten_minutes(int retry)
    {
        for (var run = 0; run < 100; run++)
        {
            RetryDelay.Default.GetDelay($"run-{run}", retry).Should()
                .BeLessThanOrEqualTo(TimeSpan.FromMinutes(10)).And.BeGreaterThan(TimeSpan.FromMinutes(7));
        }
    }

    [Fact]
    public void Runs_that_fail_together_are_not_retried_together()
    {
        var delays = Enumerable.Range(0, 1000).Select(run => RetryDelay.Default.GetDelay($"run-{run}", 1).TotalSeconds)
            .ToList();

        delays.Distinct().Should().HaveCountGreaterThan(990);
        delays.Average().Should().BeApproximately(1, 0.02);
        delays.Min().Should().BeLessThan(0.82);
        delays.Max().Should().BeGreaterThan(1.18);
    }

    [Fact]
    public void The_same_retry_of_the_same_run_has_the_same_delay() =>
        RetryDelay.Default.GetDelay("run", 3).Should().Be(RetryDelay.Default.GetDelay("run", 3));

    [Fact]
    public void A_constant_delay_has_no_jitter()
    {
        RetryDelay.Constant(TimeSpan.FromSeconds(7)).GetDelay("run", 9).Should().Be(TimeSpan.FromSeconds(7));
        RetryDelay.None.GetDelay("run", 1).Should().Be(TimeSpan.Zero);
    }

    [Fact]
    public void Invalid_delays_are_refused()
    {
        FluentActions.Invoking(() => RetryDelay.Constant(TimeSpan.FromSeconds(-1))).Should()
            .Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => RetryDelay.Exponential(TimeSpan.Zero, TimeSpan.FromSeconds(1), 0)).Should()
            .Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => RetryDelay.Exponential(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), 0))
            .Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => RetryDelay.Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), 1.1))
            .Should().Throw<ArgumentOutOfRangeException>();
    }
}
