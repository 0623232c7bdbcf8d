using System.Text.Json;
using FluentAssertions;
using Xunit;

namespace Kaiju.Tasks.Tests.Conformance;

/// <summary>
/// The conformance vectors: from the folder in KAIJU_CONFORMANCE_DIR, else the copies shipped with the tests. A file
/// that is missing from the folder is skipped; the one test in place of its vectors reports that.
/// </summary>
public sealed class ConformanceData
{
    private const string FolderVariable = "KAIJU_CONFORMANCE_DIR";

    private readonly Dictionary<string, JsonElement> _vectors;

    private ConformanceData(string file, string list)
    {
        var path = Path.Combine(Folder, file);
        File = file;
        Exists = System.IO.File.Exists(path);
        Root = Exists ? JsonElement.Parse(System.IO.File.ReadAllBytes(path)) : JsonElement.Parse("{}"u8);
        DeclaredCount = Exists ? Root.GetProperty("count").GetInt32() : 0;
        _vectors = Exists
            ? Root.GetProperty(list).EnumerateArray().ToDictionary(vector => vector.GetProperty("name").GetString()!)
            : [];
    }

    public static ConformanceData Templates { get; } = new("templates.json", "vectors");

    public static ConformanceData Conditions { get; } = new("conditions.json", "vectors");

    public static bool IsShipped => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(FolderVariable));

    public static string Folder => IsShipped
        ? Path.Combine(AppContext.BaseDirectory, "Conformance", "Data")
        : Environment.GetEnvironmentVariable(FolderVariable)!;

    public string File { get; }

    /// <summary>The whole file.</summary>
    public JsonElement Root { get; }

    public bool Exists { get; }

    public int DeclaredCount { get; }

    public int Count => _vectors.Count;

    /// <summary>
    /// The names of the vectors, each a row of a theory; a single placeholder row if the file is missing.
    /// </summary>
    public TheoryData<string> Names => Exists ? [.. _vectors.Keys] : [$"({File} is not in {Folder}: passed over)"];

    /// <summary>Looks up a vector; false for the placeholder row of a missing file.</summary>
    public bool TryGet(string name, out JsonElement vector) => _vectors.TryGetValue(name, out vector);

    /// <summary>The outcome that every implementation must produce.</summary>
    public static JsonElement Expected(JsonElement vector) =>
        vector.TryGetProperty("required", out var required) ? required : vector;

    public static bool IsInformational(JsonElement vector) =>
        vector.TryGetProperty("informational", out var informational) && informational.GetBoolean();

    /// <summary>Type, value and index errors are interchangeable.</summary>
    public static string Group(string errorKind) =>
        errorKind is "type_error" or "value_error" or "index_error"
            ? "type_error, value_error or index_error"
            : errorKind;

    /// <summary>Whether two results are the same: numbers by value, arrays in order, objects without order.</summary>
    public static bool Same(JsonElement left, JsonElement right) =>
        JsonElement.DeepEquals(left, right) || left.ValueKind switch
        {
            JsonValueKind.Number => right.ValueKind == JsonValueKind.Number && SameNumber(left, right),
            JsonValueKind.Array => right.ValueKind == JsonValueKind.Array
                && left.GetArrayLength() == right.GetArrayLength()
                && left.EnumerateArray().Zip(right.EnumerateArray()).All(pair => Same(pair.First, pair.Second)),
            JsonValueKind.Object => right.ValueKind == JsonValueKind.Object
                && left.GetPropertyCount() == right.GetPropertyCount()
                && left.EnumerateObject().All(
                    member => right.TryGetProperty(member.Name, out var other) && Same(member.Value, other)),
            _ => false,
        };

    private static bool SameNumber(JsonElement left, JsonElement right) =>
        left.TryGetInt64(out var first) && right.TryGetInt64(out var second)
            ? first == second
            : left.GetDouble().Equals(right.GetDouble());
}

[Trait("Category", "Conformance")]
public sealed class ConformanceDataTests
{
    [Theory]
    [InlineData("templates.json", 299)]
    [InlineData("conditions.json", 177)]
    public void All_shipped_vectors_are_present(string file, int count)
    {
        var data = new[] { ConformanceData.Templates, ConformanceData.Conditions }
            .Single(candidate => candidate.File == file);
        data.Count.Should().Be(data.DeclaredCount);
        if (ConformanceData.IsShipped)
        {
            data.Count.Should().Be(count);
        }
    }

    [Theory]
    [InlineData("1", "1.0", true)]
    [InlineData("1", "true", false)]
    [InlineData("9007199254740993", "9007199254740992", false)]
    [InlineData("""{"a": [1, 2.50], "b": null}""", """{"b": null, "a": [1.0, 2.5]}""", true)]
    [InlineData("[1, 2]", "[2, 1]", false)]
    [InlineData("{}", "null", false)]
    public void Results_are_compared_by_value(string left, string right, bool same) =>
        ConformanceData.Same(JsonElement.Parse(left), JsonElement.Parse(right)).Should().Be(same);
}
