using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Json;

/// <summary>
/// The JSON contracts by which values of the caller are written: those of the host's options, but values that would be
/// lost silently are refused. They are made once for each options object and type.
/// </summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal sealed class WritingContracts
{
    private static readonly ConditionalWeakTable<JsonSerializerOptions, WritingContracts> _known = [];

    private readonly JsonSerializerOptions _options;
    private readonly ConcurrentDictionary<Type, JsonTypeInfo> _wholes = new();

    private WritingContracts(JsonSerializerOptions given)
    {
        given.MakeReadOnly(populateMissingResolver: true);
        _options = new JsonSerializerOptions(given)
        {
            TypeInfoResolver = given.TypeInfoResolver!.WithAddedModifier(Lossy.Refuse),
        };
        _options.MakeReadOnly();
    }

    public static WritingContracts Of(JsonSerializerOptions options) =>
        _known.GetValue(options, static given => new WritingContracts(given));

    /// <summary>The contract of a value that is declared as this type.</summary>
    public JsonTypeInfo Declared(Type type) => _options.GetTypeInfo(type);

    /// <summary>
    /// The contract of a whole value by its runtime type. If a base type has a discriminator for it, the contract is
    /// that of the base, so that the value can be read back.
    /// </summary>
    public JsonTypeInfo Whole(Type type) =>
        _wholes.TryGetValue(type, out var known) ? known : _wholes.GetOrAdd(type, Find(type));

    private JsonTypeInfo Find(Type type)
    {
        // The outermost base first: a value that is written as it can be read as any base between the two as well.
        var bases = new Stack<Type>();
        for (var above = type.BaseType; above is not null && above != typeof(object); above = above.BaseType)
        {
            bases.Push(above);
        }

        return bases.Concat(type.GetInterfaces().OrderBy(face => face.FullName, StringComparer.Ordinal))
            .Select(candidate => AsDerived(candidate, type))
            .FirstOrDefault(found => found is not null) ?? _options.GetTypeInfo(type);
    }

    private JsonTypeInfo? AsDerived(Type above, Type type)
    {
        try
        {
            var typeInfo = _options.GetTypeInfo(above);
            return typeInfo.PolymorphismOptions is { } options
                && options.DerivedTypes.Any(known => known.DerivedType == type && known.TypeDiscriminator is not null)
                ? typeInfo
                : null;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            // The discriminators of a base that has no contract are unknown.
            return null;
        }
    }
}
