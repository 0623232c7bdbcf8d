using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Commands;

namespace Kaiju.Tasks.Json;

/// <summary>
/// Types of which the serializer drops the value in silence: <c>(1, "a")</c> would be stored as <c>{}</c>, and a
/// BigInteger could never be read back. They are refused instead, wherever they stand.
/// </summary>
internal static class Lossy
{
    private static readonly ConditionalWeakTable<JsonTypeInfo, Found> _written = [];
    private static readonly ConditionalWeakTable<JsonTypeInfo, Found> _read = [];

    /// <summary>
    /// A modifier of contracts: values of such a type fail when written, and not the types that might hold one.
    /// </summary>
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

    /// <summary>
    /// Why a type's values, or its members', would be lost when written; null if not, as far as types tell.
    /// </summary>
    public static string? FindFault(JsonTypeInfo typeInfo) =>
        _written.GetValue(typeInfo, static root => new Found(new Walk(reads: false).Find(root, ""))).Fault;

    /// <summary>The same when read: members that are only written do not matter.</summary>
    public static string? FindReadingFault(JsonTypeInfo typeInfo) =>
        _read.GetValue(typeInfo, static root => new Found(new Walk(reads: true).Find(root, ""))).Fault;

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

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "A field that was trimmed away holds nothing.")]
    private static bool HasFields(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Instance).Length > 0;

    // A struct of the framework's, such as a BigInteger or a Range: no member of it could be set.
    private static bool CannotBeReadBack(JsonTypeInfo typeInfo) =>
        typeInfo.Type.IsValueType
        && typeInfo.Type.Assembly.GetName().Name!.StartsWith("System.", StringComparison.Ordinal)
        && typeInfo.Properties.All(property => property.Set is null && property.AssociatedParameter is null);

    private sealed record Found(string? Fault);

    /// <summary>A look at a type and at those of its members, each once.</summary>
    private sealed class Walk(bool reads)
    {
        private readonly HashSet<Type> _seen = [];

        public string? Find(JsonTypeInfo typeInfo, string place)
        {
            if (!_seen.Add(typeInfo.Type))
            {
                return null;
            }

            if (Nullable.GetUnderlyingType(typeInfo.Type) is { } underlying)
            {
                return FindInPart(typeInfo, underlying, place);
            }

            if (Reason(typeInfo) is { } reason)
            {
                return place.Length == 0
                    ? reason
                    : $"its {place.TrimStart('.')} is {TypeText.WithArticle(typeInfo.Type)}; {reason}";
            }

            return typeInfo.ElementType is { } element ? FindInPart(typeInfo, element, place + "[…]")
                : typeInfo.Kind == JsonTypeInfoKind.Object ? FindInMembers(typeInfo, place)
                : null;
        }

        private string? FindInMembers(JsonTypeInfo typeInfo, string place) => typeInfo.Properties
            .Where(property => property.CustomConverter is null && Matters(property))
            .Select(property => FindInPart(typeInfo, property.PropertyType, JsonPath.Member(place, property.Name)))
            .FirstOrDefault(fault => fault is not null);

        // A member that is ignored has neither.
        private bool Matters(JsonPropertyInfo property) =>
            reads ? property.Set is not null || property.AssociatedParameter is not null : property.Get is not null;

        private string? FindInPart(JsonTypeInfo whole, Type type, string place)
        {
            try
            {
                return whole.Options.TryGetTypeInfo(type, out var typeInfo) ? Find(typeInfo, place) : null;
            }
            catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
            {
                // It may never be written: a value with it is refused when it is.
                return null;
            }
        }
    }
}

/// <summary>A type whose values would be lost was to be written or read.</summary>
internal sealed class LossyTypeException(string reason) : NotSupportedException(reason);
