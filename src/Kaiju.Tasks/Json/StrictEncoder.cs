using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>
/// Refuses text with a lone surrogate, at any depth of a value. The default encoder would replace the surrogate by
/// U+FFFD silently, so that the stored text would differ from the caller's. Other text is written with as few escapes
/// as JSON allows.
/// </summary>
internal sealed unsafe class StrictEncoder : JavaScriptEncoder
{
    public static readonly StrictEncoder Instance = new();

    private static readonly JavaScriptEncoder _inner = UnsafeRelaxedJsonEscaping;

    public override int MaxOutputCharactersPerInputCharacter => _inner.MaxOutputCharactersPerInputCharacter;

    public override bool WillEncode(int unicodeScalar) => _inner.WillEncode(unicodeScalar);

    public override bool TryEncodeUnicodeScalar(
        int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten) =>
        _inner.TryEncodeUnicodeScalar(unicodeScalar, buffer, bufferLength, out numberOfCharactersWritten);

    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        if (StorableText.HasLoneSurrogate(new ReadOnlySpan<char>(text, textLength)))
        {
            throw new JsonException("There is text with a lone surrogate, which cannot be stored.");
        }

        return _inner.FindFirstCharacterToEncode(text, textLength);
    }
}
