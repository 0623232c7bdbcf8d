using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Commands;

namespace Kaiju.Tasks.Serialization;

/// <summary>
/// Types of which the serializer drops the value in silence: <c>(1, "a")</c> would be stored as <c>{}</c>, and a BigInteger
/// could never be read back. They are refused instead, wherever they stand.
/// </summary>
internal static class Lossy
{
    private static readonly ConditionalWeakTable<JsonTypeInfo, Found> _known = [];

    /// <summary>A modifier of contracts: values of such a type fail when written, and not the types that might hold one.</summary>
    public static void Refuse(JsonTypeInfo typeInfo)
    {
        if (Reason(typeInfo) is { } reason)
        {
            typeInfo.OnSerializing = _ => throw new LossyTypeException(reason);
        }
    }

    /// <summary>Why the type was refused, if that is what an exception of the serializer says; else null.</summary>
    public static string? ReasonOf(Exception thrown) =>
        (thrown as LossyTypeException ?? thrown.InnerException as LossyTypeException)?.Message;

    /// <summary>Why values of a type, or of its members' types, would be lost; null if none would, as far as types tell.</summary>
    public static string? FindFault(JsonTypeInfo typeInfo) =>
        _known.GetValue(typeInfo, static root => new Found(Search(root, "", []))).Fault;

    /// <summary>Why values of the very type would be lost; null if they would not.</summary>
    public static string? Reason(JsonTypeInfo typeInfo)
    {
        if (typeInfo.Kind != JsonTypeInfoKind.Object)
        {
            return null;
        }

        if (typeInfo.Properties.Count == 0)
        {
            return HasFields(typeInfo.Type)
                ? "it has only fields, which the serializer leaves out; "
                    + "use a record or an array, or set IncludeFields in SerializerOptions"
                : null;
        }

        return typeInfo.Type == typeof(StringBuilder) || CannotBeReadBack(typeInfo)
            ? "the serializer could not read it back; "
                + "use text or another type, or add a converter to SerializerOptions"
            : null;
    }

    private static string? Search(JsonTypeInfo typeInfo, string place, HashSet<Type> seen)
    {
        if (!seen.Add(typeInfo.Type))
        {
            return null;
        }

        if (Nullable.GetUnderlyingType(typeInfo.Type) is { } underlying)
        {
            return PartOf(typeInfo, underlying, place, seen);
        }

        if (Reason(typeInfo) is { } reason)
        {
            return place.Length == 0
                ? reason
                : $"its {place.TrimStart('.')} is {TypeText.WithArticle(typeInfo.Type)}; {reason}";
        }

        if (typeInfo.ElementType is { } element)
        {
            return PartOf(typeInfo, element, place + "[…]", seen);
        }

        return typeInfo.Kind == JsonTypeInfoKind.Object
            ? typeInfo.Properties
                .Where(property => property.CustomConverter is null)
                .Select(property => PartOf(typeInfo, property.PropertyType, JsonPath.Member(place, property.Name), seen))
                .FirstOrDefault(fault => fault is not null)
            : null;
    }

    private static string? PartOf(JsonTypeInfo whole, Type type, string place, HashSet<Type> seen)
    {
        try
        {
            return whole.Options.TryGetTypeInfo(type, out var typeInfo) ? Search(typeInfo, place, seen) : null;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            // It may never be written: a value with it is refused when it is.
            return null;
        }
    }

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "A field that was trimmed away holds nothing.")]
    private static bool HasFields(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Instance).Length > 0;

    // A struct of the framework's, such as a BigInteger or a Range: no member of it could be set.
    private static bool CannotBeReadBack(JsonTypeInfo typeInfo) =>
        typeInfo.Type.IsValueType
        && typeInfo.Type.Assembly.GetName().Name!.StartsWith("System.", StringComparison.Ordinal)
        && typeInfo.Properties.All(property => property.Set is null && property.AssociatedParameter is null);

    private sealed record Found(string? Fault);
}

/// <summary>A type whose values would be lost was to be written or read.</summary>
internal sealed class LossyTypeException(string reason) : NotSupportedException(reason);
