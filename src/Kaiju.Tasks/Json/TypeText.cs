namespace Kaiju.Tasks.Json;

/// <summary>
/// The names of types in messages: <c>List&lt;Int32&gt;</c>, without namespaces and counts of type parameters.
/// </summary>
internal static class TypeText
{
    public static string Of(Type type)
    {
        if (type.HasElementType)
        {
            return Of(type.GetElementType()!) + (type.IsArray ? "[]" : type.IsByRef ? "&" : "*");
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Of(underlying);
        }

        var name = type.Name;
        if (name.StartsWith("<>f__AnonymousType", StringComparison.Ordinal))
        {
            return "anonymous type";
        }

        var mark = name.IndexOf('`', StringComparison.Ordinal);
        return mark < 0 ? name : $"{name[..mark]}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>";
    }

    /// <summary>The name with its article: <c>an Int32</c>.</summary>
    public static string WithArticle(Type type)
    {
        var name = Of(type);
        return $"{("AEIOaeio".Contains(name[0], StringComparison.Ordinal) ? "an" : "a")} {name}";
    }
}
