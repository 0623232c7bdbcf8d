using FluentAssertions;
using Kaiju.Tasks.Templates;
using Xunit;

namespace Kaiju.Tasks.Tests.Templates;

public sealed class GlobTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("*", "", true)]
    [InlineData("?", "", false)]
    [InlineData("a*b*c", "a__b_b__c", true)]
    [InlineData("a*b*c", "a__b_b__", false)]
    [InlineData("?", "🚀", true)]
    [InlineData("*🚀", "a🚀🚀", true)]
    [InlineData("[🚀-🚁]", "🚀", true)]
    [InlineData("[a-", "[a-", true)]
    [InlineData("[", "[", true)]
    [InlineData("[!", "[!", true)]
    [InlineData("[]", "[]", true)]
    [InlineData("[]]", "]", true)]
    [InlineData("[!]]", "]", false)]
    [InlineData("[!]]", "x", true)]
    [InlineData("[a-]", "-", true)]
    [InlineData("[-a]", "-", true)]
    [InlineData("[a-c-e]", "d", false)]
    [InlineData("[a-c-e]", "-", true)]
    [InlineData("[z-a]", "m", false)]
    [InlineData("[!z-a]", "m", true)]
    [InlineData("[^a]", "^", true)]
    [InlineData("\\*", "\\x", true)]
    [InlineData("[*]", "*", true)]
    [InlineData("[*]", "x", false)]
    [InlineData("a%", "a%", true)]
    [InlineData("a%", "ab", false)]
    public void Pattern_matches_the_whole_text(string pattern, string text, bool matches) =>
        IsMatch(pattern, text, new TemplateBudget()).Should().Be(matches);

    [Fact]
    public void A_hostile_glob_ends_in_linear_steps()
    {
        // Backtracking over every star and every division of the text would take longer than the universe.
        var budget = new TemplateBudget();

        IsMatch("*a".Repeat(50) + "*b", "a".Repeat(10_000), budget).Should().BeFalse();

        budget.Steps.Should().BeLessThan(1000);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(4000)]
    public void Steps_of_a_glob_grow_with_the_text(int length)
    {
        var budget = new TemplateBudget();

        IsMatch("*a?[a-c]b", "a".Repeat(length), budget).Should().BeFalse();

        budget.Steps.Should().BeInRange(length / 64, 8 * length / 64);
    }

    [Fact]
    public void Long_pattern_against_a_long_text_is_stopped_by_the_budget()
    {
        var match = () => IsMatch("*" + "a".Repeat(20_000) + "b", "a".Repeat(100_000), new TemplateBudget());

        match.Should().Throw<TemplateException>().Which.Kind.Should().Be("limit_exceeded");
    }

    [Fact]
    public void Large_set_costs_steps()
    {
        var match = () => IsMatch("*[" + "a".Repeat(20_000) + "]b", "z".Repeat(20_000), new TemplateBudget());

        match.Should().Throw<TemplateException>().Which.Kind.Should().Be("limit_exceeded");
    }

    private static bool IsMatch(string pattern, string text, TemplateBudget budget) =>
        $$"""{"v": {"match": {{pattern.Quoted()}} } }""".Holds($$"""{"v": {{text.Quoted()}}}""", budget);
}
