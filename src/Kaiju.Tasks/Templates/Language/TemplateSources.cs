using System.Security.Cryptography;

namespace Kaiju.Tasks.Templates;

/// <summary>Fills a span with random bytes.</summary>
internal delegate void RandomSource(Span<byte> destination);

/// <summary>The sources of time and chance for functions such as <c>now</c>, <c>uuid4</c> and <c>random</c>.</summary>
internal sealed record TemplateSources(TimeProvider Time, RandomSource Random)
{
    /// <summary>
    /// The machine's clock, and a generator for cryptographic random bytes, as <c>urandom</c> requires.
    /// </summary>
    public static TemplateSources System { get; } = new(TimeProvider.System, RandomNumberGenerator.Fill);
}
