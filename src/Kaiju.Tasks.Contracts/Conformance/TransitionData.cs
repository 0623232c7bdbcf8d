using System.Text.Json;

namespace Kaiju.Tasks.Contracts.Conformance;

/// <summary>The recorded cases: of this package, or of the folder in KAIJU_CONFORMANCE_DIR.</summary>
internal static class TransitionData
{
    public static JsonElement Root { get; } = Read();

    public static IReadOnlyDictionary<string, JsonElement> Cases { get; } =
        Root.GetProperty("cases").EnumerateArray().ToDictionary(vector => vector.GetProperty("name").GetString()!);

    private static JsonElement Read()
    {
        var folder = Environment.GetEnvironmentVariable("KAIJU_CONFORMANCE_DIR");
        using var file = !string.IsNullOrEmpty(folder) && File.Exists(Path.Combine(folder, "transitions.json"))
            ? File.OpenRead(Path.Combine(folder, "transitions.json"))
            : typeof(TransitionData).Assembly.GetManifestResourceStream("transitions.json")!;
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return JsonElement.Parse(bytes.ToArray());
    }
}
