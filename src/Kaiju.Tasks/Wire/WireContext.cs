using System.Text.Json.Serialization;

namespace Kaiju.Tasks.Wire;

/// <summary>The framework type that the library itself writes, without reflection.</summary>
[JsonSerializable(typeof(IDictionary<string, string>))]
internal sealed partial class WireContext : JsonSerializerContext;
