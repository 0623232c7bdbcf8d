using System.Text.Json.Serialization;

namespace Kaiju.Tasks.Serialization;

/// <summary>The few framework types that the library itself writes, without reflection.</summary>
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(IDictionary<string, string>))]
internal sealed partial class WireContext : JsonSerializerContext;
