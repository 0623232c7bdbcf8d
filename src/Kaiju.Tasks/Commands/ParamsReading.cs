using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>
/// How params become the types of a handler: as the host's options say, and with the rule of a handler's own parameters
/// for the members of its types. What may not be null must be there and not be null, or the handler would meet it as a
/// null reference.
/// </summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal static class ParamsReading
{
    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> _known = [];

    public static JsonTypeInfo TypeInfo(Type type, JsonSerializerOptions serializing) =>
        Options(serializing).GetTypeInfo(type);

    /// <summary>
    /// Why no JSON can become such a value; null if some can, as far as can be told without making one.
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
                    ? "its constructor takes what is not a property of it"
                : null;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            return e.Message.TrimEnd('.');
        }
    }

    /// <summary>Why a value of the type would come out empty whatever the params are; null if it would not.</summary>
    public static string? FindLoss(Type type, JsonSerializerOptions serializing)
    {
        try
        {
            return type == typeof(JsonElement) ? null : Lossy.FindReadingFault(TypeInfo(type, serializing));
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            // It is no type to be read at all, which FindFault says.
            return null;
        }
    }

    /// <summary>True for types that one would register as a service: not for values, texts and lists.</summary>
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
                // What is required must have a setter; that of the constructor's parameters is not called.
                property.Set ??= static (_, _) => { };
                property.IsRequired = true;
            }
        }
    }

    private static bool AllowsNull(JsonParameterInfo parameter) =>
        parameter.ParameterType.IsValueType
            ? Nullable.GetUnderlyingType(parameter.ParameterType) is not null
            : parameter.IsNullable;

    // The serializer's own converters are of its assembly.
    private static bool HasOwnConverter(JsonTypeInfo typeInfo) =>
        typeInfo.Kind == JsonTypeInfoKind.None
            && typeInfo.Converter.GetType().Assembly != typeof(JsonSerializer).Assembly;

    private static bool CannotBeMade(Type type) =>
        type.IsInterface || type.IsAbstract || type == typeof(nint) || type == typeof(nuint)
            || typeof(Delegate).IsAssignableFrom(type);

    /// <summary>
    /// Asks the serializer: some interfaces and abstract classes are lists or JSON. No constructor of a user's runs, as
    /// none can.
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
