using System.Security.Cryptography;

namespace Kaiju.Tasks.Templates;

/// <summary>Fills a span with random bytes.</summary>
internal delegate void RandomSource(Span<byte> destination);

/// <summary>What <c>now</c>, <c>uuid4</c>, <c>random</c> and their kin take time and chance from.</summary>
internal sealed record TemplateSources(TimeProvider Time, RandomSource Random)
{
    /// <summary>The machine's clock, and randomness fit for secrets, as <c>urandom</c> promises.</summary>
    public static TemplateSources System { get; } = new(TimeProvider.System, RandomNumberGenerator.Fill);
}
