using Kaiju.Tasks.Tests.Docs;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Kaiju.Tasks.Tests.Architecture;

/// <summary>
/// The rooms of the core and the picture in ARCHITECTURE.md. References lead down only, so there is no cycle.
/// </summary>
public sealed class RoomsTests
{
    /// <summary>
    /// The lines of rooms, highest first. A room may refer to the rooms of lower lines. ARCHITECTURE.md has the same
    /// lines.
    /// </summary>
    internal static readonly string[][] Lines =
    [
        ["Hosting"],
        ["Client", "Engine"],
        ["Notifications", "Queueing"],
        ["Storage"],
        ["Diagnostics", "Validation"],
        ["Commands", "Lifecycle"],
        ["Model"],
        ["Scheduling"],
        ["Templates"],
        ["Json"],
        ["Threading"],
    ];

    private static readonly string _core = Path.Combine(DocsTests.Root, "src", "Kaiju.Tasks");

    [Fact]
    public void Every_reference_from_room_to_room_leads_down()
    {
        var upward = FindReferences()
            .Where(reference => LineOf(reference.ToRoom) <= LineOf(reference.FromRoom))
            .Select(
                reference => $"{reference.File} of {reference.FromRoom} uses {reference.Type} of {reference.ToRoom}")
            .Distinct()
            .Order(StringComparer.Ordinal);

        string.Join(Environment.NewLine, upward).Should().BeEmpty("a room knows only those below it");
    }

    private static int LineOf(string room)
    {
        var line = Array.FindIndex(Lines, line => line.Contains(room));
        return line >= 0
            ? line
            : throw new InvalidOperationException($"The room {room} stands on no line of the picture.");
    }

    /// <summary>
    /// The room of a file: its folder. The public types and their JSON form are one room in two folders.
    /// </summary>
    private static string RoomOf(string file)
    {
        var parts = Path.GetRelativePath(_core, file).Split(Path.DirectorySeparatorChar);
        return parts.Length == 1 || parts[0] == "Wire" ? "Model" : parts[0];
    }

    private static IEnumerable<(string File, string FromRoom, string Type, string ToRoom)> FindReferences()
    {
        var files = Directory.EnumerateFiles(_core, "*.cs", SearchOption.AllDirectories)
            .Where(file => RoomOf(file) is not ("bin" or "obj"));
        var compilation = CSharpCompilation.Create(
            "core",
            files.Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), path: file))
                .Append(CSharpSyntaxTree.ParseText(
                """
                global using System;
                global using System.Collections.Generic;
                global using System.IO;
                global using System.Linq;
                global using System.Threading;
                global using System.Threading.Tasks;
                """)),
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
                .Where(path => !Path.GetFileName(path).StartsWith("Kaiju.Tasks", StringComparison.Ordinal))
                .Select(path => MetadataReference.CreateFromFile(path)));
        foreach (var tree in compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0))
        {
            var model = compilation.GetSemanticModel(tree);
            foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
            {
                var symbol = model.GetSymbolInfo(name).Symbol;
                var type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
                var declared = type?.OriginalDefinition.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath;
                if (declared is { Length: > 0 } && RoomOf(declared) != RoomOf(tree.FilePath))
                {
                    yield return (
                        Path.GetRelativePath(_core, tree.FilePath),
                        RoomOf(tree.FilePath),
                        type!.Name,
                        RoomOf(declared));
                }
            }
        }
    }
}
