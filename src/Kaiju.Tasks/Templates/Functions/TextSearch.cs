namespace Kaiju.Tasks.Templates;

/// <summary>Finds a text in a text in linear time (Knuth, Morris, Pratt).</summary>
/// <remarks>
/// The framework's search is quick on ordinary texts but quadratic on hostile ones, such as "aaa…b" in "aaa…".
/// </remarks>
internal static class TextSearch
{
    public static bool Contains(string text, string part, Evaluation evaluation)
    {
        evaluation.Scan((long)text.Length + part.Length);
        return part.Length == 0 || (part.Length <= text.Length && Find(text, part, Borders(part), 0) >= 0);
    }

    /// <summary>Splits a text at a separator, which must not be empty.</summary>
    public static List<string> Split(string text, string separator, Evaluation evaluation)
    {
        evaluation.Scan((long)text.Length + separator.Length);
        var pieces = new List<string>();
        var borders = Borders(separator);
        var start = 0;
        for (var found = Find(text, separator, borders, 0); found >= 0; found = Find(text, separator, borders, start))
        {
            evaluation.Step();
            pieces.Add(text[start..found]);
            start = found + separator.Length;
        }

        pieces.Add(text[start..]);
        return pieces;
    }

    private static int Find(string text, string part, int[] borders, int start)
    {
        var matched = 0;
        for (var i = start; i < text.Length; i++)
        {
            while (matched > 0 && text[i] != part[matched])
            {
                matched = borders[matched - 1];
            }

            if (text[i] == part[matched] && ++matched == part.Length)
            {
                return i - part.Length + 1;
            }
        }

        return -1;
    }

    // For each prefix of the part: the length of its longest proper prefix that is also its suffix.
    private static int[] Borders(string part)
    {
        var borders = new int[part.Length];
        for (int i = 1, length = 0; i < part.Length; i++)
        {
            while (length > 0 && part[i] != part[length])
            {
                length = borders[length - 1];
            }

            borders[i] = part[i] == part[length] ? ++length : 0;
        }

        return borders;
    }
}
