namespace Kaiju.Tasks.Relational;

/// <summary>The header of a migration, and the rules for its statements.</summary>
public sealed class MigrationTests
{
    [Theory]
    [InlineData("-- Oldest package that may run beside it: 1.2.3\nselect 1", "1.2.3")]
    [InlineData("-- Oldest package that may run beside it: 0.10.0\r\nselect 1", "0.10.0")]
    public void A_migration_names_the_oldest_package_that_may_run_beside_it(string text, string oldest)
    {
        var migration = Migration.Parse(4, text);

        migration.OldestText.Should().Be(oldest);
        migration.Version.Should().Be(4);
        migration.Text.Should().Be(text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("select 1")]
    [InlineData("-- A table.\n-- Oldest package that may run beside it: 1.2.3\n")]
    [InlineData("-- Oldest package that may run beside it: 1.2\n")]
    [InlineData("-- Oldest package that may run beside it: 1.2.3-rc.1\n")]
    public void A_migration_that_names_no_oldest_package_is_refused(string text) =>
        FluentActions.Invoking(() => Migration.Parse(4, text)).Should().Throw<InvalidDataException>()
            .WithMessage("Migration 4 must begin with the line \"-- Oldest package *");

    [Theory]
    [InlineData("alter table x add column a text")]
    [InlineData("alter table x add column if not exists a text, add column b integer not null default 0")]
    [InlineData("alter table x add column a text not null default 'none'; create table y (a text not null)")]
    [InlineData("alter table x add column a boolean default false not null")]
    [InlineData("create index a on x (b); drop index c")]
    public void A_column_that_is_nullable_or_has_a_constant_default_may_be_added(string text) =>
        MigrationRules.FindFaults(text).Should().BeEmpty();

    [Theory]
    [InlineData("alter table x add column a text not null")]
    [InlineData("alter table x add column a text, add column b integer not null")]
    [InlineData("alter table x add column a timestamptz not null default now()")]
    [InlineData("alter table x add column a uuid default gen_random_uuid()")]
    [InlineData("alter table x drop column a")]
    [InlineData("drop table x")]
    [InlineData("alter table x rename column a to b")]
    public void A_statement_that_an_older_package_does_not_survive_is_refused(string text) =>
        MigrationRules.FindFaults(text).Should().ContainSingle();

    [Theory]
    [InlineData("0.9.0", "0.9.0", true)]
    [InlineData("0.10.0", "0.9.0", true)]
    [InlineData("0.9.0", "0.10.0", false)]
    [InlineData("0.9.0", "0.9.1", false)]
    public void Versions_of_packages_are_compared_as_numbers(string package, string oldest, bool isAllowed)
    {
        var look = () => AppliedMigration.VersionOf([new(4, oldest), new(3, "9.9.9")], 3, Version.Parse(package));

        if (isAllowed)
        {
            look().Should().Be(4);
        }
        else
        {
            look.Should().Throw<TaskSchemaException>()
                .WithMessage($"*({package})*may run on these tables is {oldest}.*");
        }
    }

    [Fact]
    public void The_version_of_the_package_has_three_parts_and_no_suffix() =>
        AppliedMigration.Package.ToString().Should().MatchRegex(@"^\d+\.\d+\.\d+\z");
}
