using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kaiju.Tasks.Json;

/// <summary>
/// How a host's options write values of the caller's: as they say, but nothing is lost in silence. Made once for each
/// options object and type.
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

    /// <summary>How a value is written that is declared as this type.</summary>
    public JsonTypeInfo Declared(Type type) => _options.GetTypeInfo(type);

    /// <summary>
    /// How a whole value is written of which only the object tells the type: as the base that knows it by a
    /// discriminator, if there is one, so that it can be read back as that base.
    /// </summary>
    public JsonTypeInfo Whole(Type type) =>
        _wholes.TryGetValue(type, out var known) ? known : _wholes.GetOrAdd(type, Find(type));

    private JsonTypeInfo Find(Type type)
    {
        // The outermost class comes first: whoever takes a class between the two can read it as well.
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
            // A base that cannot be written itself says nothing of its types.
            return null;
        }
    }
}
