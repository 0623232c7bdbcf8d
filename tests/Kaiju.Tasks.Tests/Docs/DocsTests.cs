using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Kaiju.Tasks.Tests.Docs;

/// <summary>The documentation's programs compile, and its commands are those that CI runs.</summary>
public sealed partial class DocsTests
{
    private static readonly string _root = FindRoot();

    internal static string Root => _root;

    public static TheoryData<string, int> Programs
    {
        get
        {
            var programs = new TheoryData<string, int>();
            foreach (var page in Pages())
            {
                for (var i = 0; i < ProgramFences().Count(File.ReadAllText(page)); i++)
                {
                    programs.Add(Path.GetRelativePath(_root, page), i);
                }
            }

            return programs;
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void A_program_in_the_docs_compiles(string page, int number)
    {
        var program = ProgramFences().Matches(File.ReadAllText(Path.Combine(_root, page)))[number].Groups["code"].Value;
        var parsed = CSharpSyntaxTree.ParseText(program, new CSharpParseOptions(LanguageVersion.Latest));
        var isProgram = parsed.GetCompilationUnitRoot().Members.Any(
            member => member is Microsoft.CodeAnalysis.CSharp.Syntax.GlobalStatementSyntax);
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(
            path => MetadataReference.CreateFromFile(path));

        // Leaves out assemblies built against an earlier framework, which the SDK does not mention either.
        var options = new CSharpCompilationOptions(
            isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
            nullableContextOptions: NullableContextOptions.Enable,
            specificDiagnosticOptions: [
                new("CS1701", ReportDiagnostic.Suppress), new("CS1702", ReportDiagnostic.Suppress)]);
        var compilation = CSharpCompilation.Create("program", [parsed], references, options);

        compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)
            .Should().BeEmpty();
    }

    [Fact]
    public void The_readme_has_a_program_of_about_ten_lines_and_the_docs_have_more()
    {
        var program = ProgramFences().Match(File.ReadAllText(Path.Combine(_root, "README.md"))).Groups["code"].Value;

        program.Split('\n').Count(line => line.Trim().Length > 1 && !line.StartsWith("using", StringComparison.Ordinal))
            .Should().BeInRange(5, 14);
        Programs.Count.Should().BeGreaterThan(3);
    }

    [Fact]
    public void The_readmes_two_commands_are_those_that_CI_runs()
    {
        var commands = CommandFence().Match(File.ReadAllText(Path.Combine(_root, "README.md"))).Groups["code"].Value
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('#')[0].Trim())
            .Where(line => line.Length > 0)
            .ToList();

        commands.Should().Equal("dotnet run --project samples/QuickStart", "./test.sh");
        File.ReadAllText(Path.Combine(_root, ".ci", "run")).Should().ContainAll(commands);
    }

    [Fact]
    public void The_commands_that_add_the_packages_are_those_that_CI_runs()
    {
        var commands = PackageFences().Matches(File.ReadAllText(Path.Combine(_root, "README.md")))
            .SelectMany(fence => fence.Groups["code"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Select(line => line.Split('#')[0].Trim())
            .ToList();

        commands.Should().HaveCount(6);
        File.ReadAllLines(Path.Combine(_root, ".ci", "packages")).Select(line => line.Trim())
            .Should().Contain(commands);
        File.ReadAllText(Path.Combine(_root, ".ci", "run")).Should().Contain(".ci/packages");
    }

    [Fact]
    public void Packages_that_the_pages_add_are_those_that_CI_adds()
    {
        var added = Pages().SelectMany(page => AddedPackages().Matches(File.ReadAllText(page)))
            .Select(match => match.Value).Distinct();

        added.Should().BeSubsetOf(
            AddedPackages().Matches(File.ReadAllText(PathOf(".ci", "packages"))).Select(match => match.Value));
    }

    [Fact]
    public void The_repository_names_no_package_source() =>
        File.ReadAllText(Path.Combine(_root, "nuget.config")).Should()
            .NotContain("packageSources").And.NotContain("://");

    [Fact]
    public void The_core_depends_on_exactly_six_packages() =>
        PackageReferences().Matches(File.ReadAllText(Path.Combine(_root, "src", "Kaiju.Tasks", "Kaiju.Tasks.csproj")))
            .Select(match => match.Groups["name"].Value)
            .Should().Equal(
                "Cronos",
                "Microsoft.Extensions.DependencyInjection.Abstractions",
                "Microsoft.Extensions.Hosting.Abstractions",
                "Microsoft.Extensions.Logging.Abstractions",
                "Microsoft.Extensions.Options",
                "Microsoft.Extensions.Options.ConfigurationExtensions");

    internal static string PathOf(params string[] parts) => Path.Combine([_root, .. parts]);

    internal static IEnumerable<string> Pages() =>
        Directory.GetFiles(_root, "*.md").Concat(
            Directory.GetFiles(Path.Combine(_root, "docs"), "*.md", SearchOption.AllDirectories))
            .Where(page => Path.GetFileName(page) != "report.md");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Kaiju.Tasks.sln")))
        {
            folder = folder.Parent
                ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"<!-- (program|compiles) -->\s*```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex ProgramFences();

    [GeneratedRegex(@"<!-- commands -->\s*```bash\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CommandFence();

    [GeneratedRegex(@"<!-- packages -->\s*```bash\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex PackageFences();

    [GeneratedRegex("dotnet add package [A-Za-z.]+")]
    private static partial Regex AddedPackages();

    [GeneratedRegex(@"<PackageReference Include=""(?<name>[^""]+)"" />")]
    private static partial Regex PackageReferences();
}
