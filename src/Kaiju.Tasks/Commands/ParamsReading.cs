using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>
/// Reads params as a handler's types, with the serializer options of the host. Members of these types follow the rule
/// of a handler's own parameters: a member that may not be null is required. Otherwise the handler would get a null
/// reference that its types exclude.
/// </summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal static class ParamsReading
{
    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> _known = [];

    public static JsonTypeInfo TypeInfo(Type type, JsonSerializerOptions serializing) =>
        Options(serializing).GetTypeInfo(type);

    /// <summary>
    /// Returns why JSON cannot be read as the type; null if it can, as far as is known without reading a value.
    /// </summary>
    public static string? FindFault(Type type, JsonSerializerOptions serializing)
    {
        if (type == typeof(JsonElement))
        {
            return null;
        }

        try
        {
            var typeInfo = TypeInfo(type, serializing);
            return HasOwnConverter(typeInfo) || typeInfo.PolymorphismOptions is not null ? null
                : CannotBeMade(type) ? FindFaultByReading(typeInfo)
                : typeInfo.Kind == JsonTypeInfoKind.Object && !HasConstructor(typeInfo)
                    ? "a parameter of its constructor is not one of its properties"
                : null;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            return e.Message.TrimEnd('.');
        }
    }

    /// <summary>Returns why a value of the type would be empty for any params; null if it would not.</summary>
    public static string? FindLoss(Type type, JsonSerializerOptions serializing)
    {
        try
        {
            return type == typeof(JsonElement) ? null : Lossy.FindReadingFault(TypeInfo(type, serializing));
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            // The type cannot be read at all, which FindFault reports.
            return null;
        }
    }

    /// <summary>True for types that may be services: not for values, texts and lists.</summary>
    public static bool CouldBeService(Type type) =>
        !type.IsValueType && type != typeof(string) && !type.IsArray
            && !typeof(System.Collections.IEnumerable).IsAssignableFrom(type);

    private static JsonSerializerOptions Options(JsonSerializerOptions serializing) =>
        _known.GetValue(serializing, static given =>
    {
        given.MakeReadOnly(populateMissingResolver: true);
        var reading = new JsonSerializerOptions(given)
        {
            RespectNullableAnnotations = true,
            TypeInfoResolver = given.TypeInfoResolver!.WithAddedModifier(RequireWhatMayNotBeNull),
        };
        reading.MakeReadOnly();
        return reading;
    });

    private static void RequireWhatMayNotBeNull(JsonTypeInfo typeInfo)
    {
        if (typeInfo.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        foreach (var property in typeInfo.Properties)
        {
            if (property.AssociatedParameter is { HasDefaultValue: false } parameter && !AllowsNull(parameter))
            {
                // A required property must have a setter, which is not called for a parameter of the constructor.
                property.Set ??= static (_, _) => { };
                property.IsRequired = true;
            }
        }
    }

    private static bool AllowsNull(JsonParameterInfo parameter) =>
        parameter.ParameterType.IsValueType
            ? Nullable.GetUnderlyingType(parameter.ParameterType) is not null
            : parameter.IsNullable;

    // The serializer's own converters are in its assembly.
    private static bool HasOwnConverter(JsonTypeInfo typeInfo) =>
        typeInfo.Kind == JsonTypeInfoKind.None
            && typeInfo.Converter.GetType().Assembly != typeof(JsonSerializer).Assembly;

    private static bool CannotBeMade(Type type) =>
        type.IsInterface || type.IsAbstract || type == typeof(nint) || type == typeof(nuint)
            || typeof(Delegate).IsAssignableFrom(type);

    /// <summary>
    /// Tries to read a value: some interfaces and abstract classes are lists or JSON. These types have no constructor
    /// of users' code that could run.
    /// </summary>
    private static string? FindFaultByReading(JsonTypeInfo typeInfo)
    {
        try
        {
            JsonSerializer.Deserialize(typeInfo.Kind == JsonTypeInfoKind.Enumerable ? "[]" : "{}", typeInfo);
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (NotSupportedException)
        {
            return typeInfo.Type.IsInterface ? "it is an interface"
                : typeof(Delegate).IsAssignableFrom(typeInfo.Type) ? "it is a delegate"
                : typeInfo.Type.IsAbstract ? "it is an abstract class"
                : "the serializer does not support it";
        }
    }

    /// <summary>
    /// True if the serializer finds the constructor's parameters among the properties, or needs none.
    /// </summary>
    private static bool HasConstructor(JsonTypeInfo typeInfo)
    {
        if (typeInfo.CreateObject is not null || typeInfo.Type.IsValueType)
        {
            return true;
        }

        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;
        var all = typeInfo.Type.GetConstructors(All);
        var chosen = all.Where(constructor => constructor.IsDefined(typeof(JsonConstructorAttribute))).ToList();
        if (chosen.Count == 0)
        {
            chosen = [.. all.Where(constructor => constructor.IsPublic)];
        }

        return chosen is [var only]
            && typeInfo.Properties.Count(
                property => property.AssociatedParameter is not null) == only.GetParameters().Length;
    }
}
