using System.Text.Json.Serialization;

namespace Kaiju.Tasks.Wire;

/// <summary>The JSON contracts of framework types that the library writes without reflection.</summary>
[JsonSerializable(typeof(IDictionary<string, string>))]
internal sealed partial class WireContext : JsonSerializerContext;
