using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Commands;

namespace Kaiju.Tasks.Json;

/// <summary>
/// Finds types whose values the serializer would lose silently: <c>(1, "a")</c> would be stored as <c>{}</c>, and a
/// BigInteger could not be read back. Their values are refused, at any depth.
/// </summary>
internal static class Lossy
{
    private static readonly ConditionalWeakTable<JsonTypeInfo, Found> _written = [];
    private static readonly ConditionalWeakTable<JsonTypeInfo, Found> _read = [];

    /// <summary>
    /// A modifier of contracts: writing a value of such a type fails. Types with members of such a type can still be
    /// written while those members are null.
    /// </summary>
    public static void Refuse(JsonTypeInfo typeInfo)
    {
        if (Reason(typeInfo) is { } reason)
        {
            typeInfo.OnSerializing = _ => throw new LossyTypeException(reason);
        }
    }

    /// <summary>
    /// The reason for which a type was refused, if an exception of the serializer says so; else null.
    /// </summary>
    public static string? ReasonOf(Exception thrown) =>
        (thrown as LossyTypeException ?? thrown.InnerException as LossyTypeException)?.Message;

    /// <summary>
    /// The reason for which values of a type or of its members would be lost when written; null if the types show none.
    /// </summary>
    public static string? FindFault(JsonTypeInfo typeInfo) =>
        _written.GetValue(typeInfo, static root => new Found(new Walk(reads: false).Find(root, ""))).Fault;

    /// <summary>
    /// The reason for which values would be lost when read; members that are only written are ignored.
    /// </summary>
    public static string? FindReadingFault(JsonTypeInfo typeInfo) =>
        _read.GetValue(typeInfo, static root => new Found(new Walk(reads: true).Find(root, ""))).Fault;

    /// <summary>The reason for which values of the type itself would be lost; null if there is none.</summary>
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

    // A struct of the framework, such as BigInteger or Range, without a member that can be set.
    private static bool CannotBeReadBack(JsonTypeInfo typeInfo) =>
        typeInfo.Type.IsValueType
        && typeInfo.Type.Assembly.GetName().Name!.StartsWith("System.", StringComparison.Ordinal)
        && typeInfo.Properties.All(property => property.Set is null && property.AssociatedParameter is null);

    private sealed record Found(string? Fault);

    /// <summary>Visits a type and the types of its members, each once.</summary>
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

        // An ignored member has neither a getter nor a setter.
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
                // The member may always be null. If it is not, its value is refused when it is written.
                return null;
            }
        }
    }
}

/// <summary>Thrown when a value is written or read whose type would lose it.</summary>
internal sealed class LossyTypeException(string reason) : NotSupportedException(reason);
