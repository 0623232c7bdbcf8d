namespace Kaiju.Tasks.Templates;

/// <summary>The kinds of references to the data.</summary>
internal enum ReferenceKind
{
    /// <summary><c>[a.b]</c>: a missing value is an error, unless there is a default.</summary>
    Select,

    /// <summary><c>{a-b}</c>: a missing value is written as <c>???</c>.</summary>
    Format,

    /// <summary>A key of a condition: a missing value is null.</summary>
    Condition,
}

/// <summary>
/// A path that is known without data, so that a reference to a later stage is refused when the task is created.
/// </summary>
internal sealed class TemplateReference(
    TemplatePlace place, ReferenceKind kind, IReadOnlyList<string> path, bool hasDefault)
{
    /// <summary>The place of the reference, such as <c>params.items[2]</c>.</summary>
    public string Place => place.ToString();

    public ReferenceKind Kind { get; } = kind;

    /// <summary>The parts of the path; empty for the whole data.</summary>
    public IReadOnlyList<string> Path { get; } = path;

    /// <summary>True if a missing value is allowed, as it always is in format fields and conditions.</summary>
    public bool HasDefault { get; } = hasDefault;

    public override string ToString() => $"{Place}: {string.Join('.', Path)}";
}
