namespace Kaiju.Tasks.Templates;

/// <summary>Which part of the languages reads the data.</summary>
internal enum ReferenceKind
{
    /// <summary><c>[a.b]</c>: fails when missing, unless it has a default.</summary>
    Select,

    /// <summary><c>{a-b}</c>: missing is <c>???</c>.</summary>
    Format,

    /// <summary>A key of a condition: missing is null.</summary>
    Condition,
}

/// <summary>
/// A path that is known before there is data, so that a reference to a later stage can be refused early.
/// </summary>
internal sealed class TemplateReference(
    TemplatePlace place, ReferenceKind kind, IReadOnlyList<string> path, bool hasDefault)
{
    /// <summary>Where the reference is written, such as <c>params.items[2]</c>.</summary>
    public string Place => place.ToString();

    public ReferenceKind Kind { get; } = kind;

    /// <summary>The parts of the path; none: the whole data.</summary>
    public IReadOnlyList<string> Path { get; } = path;

    /// <summary>Whether a missing value is no error: always so in format fields and conditions.</summary>
    public bool HasDefault { get; } = hasDefault;

    public override string ToString() => $"{Place}: {string.Join('.', Path)}";
}
