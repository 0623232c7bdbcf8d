using System.Text;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// Matches a whole text with a pattern of <c>*</c>, <c>?</c>, <c>[a-z]</c> and <c>[!a-z]</c>, by code points.
/// </summary>
internal sealed class Glob
{
    private readonly List<Token> _tokens = [];

    private Glob(string pattern)
    {
        var runes = pattern.EnumerateRunes().ToArray();
        for (var i = 0; i < runes.Length; i++)
        {
            _tokens.Add(runes[i].Value switch
            {
                '*' => new Token(TokenKind.Star, default, []),
                '?' => new Token(TokenKind.Any, default, []),
                '[' when SetEnd(runes, i) is var end and > 0 => ReadSet(runes, ref i, end),
                _ => new Token(TokenKind.Rune, runes[i], []),
            });
        }
    }

    private enum TokenKind
    {
        Star,
        Any,
        Rune,
        Set,
        NegatedSet,
    }

    /// <summary>
    /// True if the whole text matches. The number of moves is at most the product of both lengths; each is charged.
    /// </summary>
    public static bool IsMatch(string text, string pattern, Evaluation evaluation)
    {
        evaluation.Scan(pattern.Length);
        return new Glob(pattern).Matches(text, evaluation);
    }

    // Only the last star needs backtracking: it can match all characters that an earlier star could match.
    private bool Matches(string text, Evaluation evaluation)
    {
        var (position, token) = (0, 0);
        var (retryPosition, retryToken) = (0, -1);
        while (position < text.Length)
        {
            evaluation.Scan(1 + (token < _tokens.Count ? _tokens[token].Ranges.Length : 0));
            if (token < _tokens.Count && _tokens[token].Kind == TokenKind.Star)
            {
                (retryPosition, retryToken) = (position, ++token);
                if (token == _tokens.Count)
                {
                    return true;
                }
            }
            else if (token < _tokens.Count && _tokens[token].Takes(Rune.GetRuneAt(text, position)))
            {
                position += Rune.GetRuneAt(text, position).Utf16SequenceLength;
                token++;
            }
            else if (retryToken >= 0)
            {
                retryPosition += Rune.GetRuneAt(text, retryPosition).Utf16SequenceLength;
                (position, token) = (retryPosition, retryToken);
            }
            else
            {
                return false;
            }
        }

        return _tokens.Skip(token).All(rest => rest.Kind == TokenKind.Star);
    }

    // The index of the bracket that ends the set, or -1. A bracket right after the opening one is a member of the set.
    private static int SetEnd(Rune[] runes, int start)
    {
        var first = start + 1;
        if (first < runes.Length && runes[first].Value == '!')
        {
            first++;
        }

        return first + 1 < runes.Length ? Array.IndexOf(runes, new Rune(']'), first + 1) : -1;
    }

    private static Token ReadSet(Rune[] runes, ref int i, int end)
    {
        var negated = runes[i + 1].Value == '!';
        var ranges = new List<(Rune From, Rune To)>();
        for (i += negated ? 2 : 1; i < end; i++)
        {
            var isRange = i + 2 < end && runes[i + 1].Value == '-';
            ranges.Add((runes[i], runes[isRange ? i + 2 : i]));
            i += isRange ? 2 : 0;
        }

        return new Token(negated ? TokenKind.NegatedSet : TokenKind.Set, default, [.. ranges]);
    }

    private readonly record struct Token(TokenKind Kind, Rune Rune, (Rune From, Rune To)[] Ranges)
    {
        public bool Takes(Rune rune) => Kind switch
        {
            TokenKind.Any => true,
            TokenKind.Rune => Rune == rune,
            _ => Array.Exists(Ranges, range => range.From <= rune && rune <= range.To) == (Kind == TokenKind.Set),
        };
    }
}
