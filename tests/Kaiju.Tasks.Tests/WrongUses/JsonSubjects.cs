using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>
/// Values of the tests: types whose values cannot be written or would be lost, and similar ones that can be written.
/// </summary>
public static class JsonSubjects
{
    internal const string Secret = "s3cret";

    internal static readonly DivideByZeroException Thrown = new("getter");

    internal static Node Circle()
    {
        var node = new Node();
        node.Next = node;
        return node;
    }

    internal static IEnumerable Deep(int levels) =>
        levels == 0 ? Array.Empty<object>() : new object[] { Deep(levels - 1) };

    internal static JsonElement Disposed()
    {
        using var document = JsonDocument.Parse("{}");
        return document.RootElement;
    }

    public sealed class Throws
    {
        public int Id { get; init; }

        public string Name => Id < 0 ? "" : throw Thrown;
    }

    public sealed class ThrowingDictionary : Dictionary<string, int>, IDictionary
    {
        IDictionaryEnumerator IDictionary.GetEnumerator() => throw Thrown;
    }

    public sealed class SilentException : Exception
    {
        public override string Message => throw Thrown;
    }

    public sealed class Silent
    {
        private readonly SilentException _silence = new();

        public string Name => throw _silence;
    }

    public sealed class Node
    {
        public Node? Next { get; set; }
    }

    internal sealed class Collides
    {
        public int Id { get; init; }

        public int ID { get; init; }
    }

    internal struct Point
    {
        public int X;
    }

    public sealed class Refuses : JsonConverter<Uri>
    {
        public override Uri Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("It is only written.");

        public override void Write(Utf8JsonWriter writer, Uri value, JsonSerializerOptions options) =>
            throw new FormatException($"bad: {value}");
    }

    public sealed record Converted([property: JsonConverter(typeof(Refuses))] Uri Link);

    internal sealed class DisposesResult : IStageMiddleware
    {
        public async ValueTask<StageOutcome> InvokeAsync(
            StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken)
        {
            var result = await next(parameters, cancellationToken);
            return context.Method == "middle" ? StageOutcome.Completed(Disposed()) : result;
        }
    }

    internal sealed class Special : SpecialCommand
    {
        public override string Method => "special";

        public override ValueTask<StageOutcome> RunAsync(
            SpecialCommandContext context, CancellationToken cancellationToken)
        {
            using var document = JsonDocument.Parse("{}");
            return ValueTask.FromResult(StageOutcome.Completed(document.RootElement));
        }
    }

    public sealed record Area(int Width)
    {
        public (int, int) Size => (Width, Width);
    }

    public sealed record Ignores(int Width)
    {
        [JsonIgnore]
        public (int, int) Size { get; init; }
    }

    public sealed record Holder((int, int) Pair);

    public sealed record Typed(double Value);

    [JsonDerivedType(typeof(Disk), "disk")]
    [JsonDerivedType(typeof(Ring), "ring")]
    public abstract record Shape;

    public record Disk(int Radius) : Shape;

    public sealed record Ring(int Radius, int Hole) : Disk(Radius);

    [JsonPolymorphic(TypeDiscriminatorPropertyName = "$kind")]
    [JsonDerivedType(typeof(Named), 1)]
    public interface IFace;

    public sealed record Named(string Name) : IFace;

    public sealed class BigIntegers : JsonConverter<BigInteger>
    {
        public override BigInteger Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            BigInteger.Parse(Encoding.UTF8.GetString(reader.ValueSpan), CultureInfo.InvariantCulture);

        public override void Write(Utf8JsonWriter writer, BigInteger value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.ToString(CultureInfo.InvariantCulture));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JsonSubjects.Typed))]
[JsonSerializable(typeof((int, int)))]
[JsonSerializable(typeof(int))]
internal sealed partial class JsonSubjectsJson : JsonSerializerContext;
