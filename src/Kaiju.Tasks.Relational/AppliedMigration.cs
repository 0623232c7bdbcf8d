using System.Reflection;
using System.Text.RegularExpressions;

namespace Kaiju.Tasks.Relational;

/// <summary>A migration that the tables record.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Oldest">
/// The oldest package that may run on the tables; null if the migration did not name one.
/// </param>
internal sealed partial record AppliedMigration(int Version, string? Oldest)
{
    /// <summary>The version of this package, without the suffix of a pre-release or a build.</summary>
    public static Version Package { get; } = ReadPackage(typeof(AppliedMigration).Assembly);

    /// <summary>
    /// The version of the tables. A package runs on newer tables if each migration that it does not know names this
    /// package, or an older one, as the oldest. See docs/decisions/0018.
    /// </summary>
    /// <param name="applied">The migrations that the tables record.</param>
    /// <param name="known">The newest version that this package knows.</param>
    /// <param name="package">The version of this package. Default: null, for <see cref="Package"/>.</param>
    /// <exception cref="TaskSchemaException">The tables do not allow this package.</exception>
    public static int VersionOf(IReadOnlyCollection<AppliedMigration> applied, int known, Version? package = null)
    {
        package ??= Package;
        var version = applied.Select(migration => migration.Version).DefaultIfEmpty().Max();
        var unknown = applied.Where(migration => migration.Version > known).Select(migration => Parse(migration.Oldest))
            .ToList();
        if (unknown.TrueForAll(oldest => oldest is not null && oldest <= package))
        {
            return version;
        }

        var found = $"The tables are of version {version}; this package ({package}) supports up to {known}.";
        throw new TaskSchemaException(
            unknown.Contains(null)
                ? $"{found} The tables do not name the oldest package that may run on them. Use the package that "
                    + "migrated them, or a newer one."
                : $"{found} The oldest package that may run on these tables is {unknown.Max()}. Use that one or a "
                    + "newer one.");
    }

    private static Version? Parse(string? text) =>
        text is not null && PackageText().IsMatch(text) ? System.Version.Parse(text) : null;

    private static Version ReadPackage(Assembly assembly) => System.Version.Parse(
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('-', '+')[0]);

    [GeneratedRegex(@"^\d{1,9}\.\d{1,9}\.\d{1,9}\z")]
    private static partial Regex PackageText();
}
