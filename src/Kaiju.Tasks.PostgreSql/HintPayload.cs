using System.Globalization;
using System.Text;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// A hint as the payload of a NOTIFY: the kinds as a number, the sender, the apps and the ids of tasks, each on a line
/// of its own and the names between tabs. An empty line is any name. A version that knows only the number takes the
/// rest for a hint about anything, and so does this one with what it cannot read.
/// </summary>
internal static class HintPayload
{
    /// <summary>The most bytes of a payload: PostgreSQL takes less than 8,000.</summary>
    public const int MostBytes = 7_000;

    private const char Line = '\n';
    private const char Between = '\t';

    /// <param name="hint">What to tell.</param>
    /// <param name="sender">The process that has told its own listeners already; empty if none has.</param>
    public static string Write(StoreHint hint, string sender)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"{(int)hint.Kinds}{Line}{sender}{Line}");
        var left = MostBytes - Encoding.UTF8.GetByteCount(head) - 1;
        var apps = (hint.Kinds & StoreHintKinds.Queued) == StoreHintKinds.None ? "" : Within(hint.Apps, ref left);
        return $"{head}{apps}{Line}{Within(hint.TaskIds, ref left)}";
    }

    public static (StoreHint Hint, string Sender) Read(string payload)
    {
        var lines = payload.Split(Line);
        if (!int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || lines.Length is 2 or 3)
        {
            return (new StoreHint(StoreHintKinds.All), "");
        }

        var kinds = (StoreHintKinds)number & StoreHintKinds.All;
        return lines.Length == 1
            ? (new StoreHint(kinds), "")
            : (new StoreHint(kinds, NamesOf(lines[2]), NamesOf(lines[3])), lines[1]);
    }

    /// <summary>
    /// The names between tabs; nothing, which is any, if they take too much or would be read as others.
    /// </summary>
    private static string Within(HintNames names, ref int left)
    {
        if (names.Count == 0)
        {
            return "";
        }

        var text = new StringBuilder(names[0]);
        for (var i = 1; i < names.Count; i++)
        {
            text.Append(Between).Append(names[i]);
        }

        var joined = text.ToString();
        var size = Encoding.UTF8.GetByteCount(joined);
        if (size > left || joined.Contains(Line, StringComparison.Ordinal)
            || joined.AsSpan().Count(Between) != names.Count - 1)
        {
            return "";
        }

        left -= size;
        return joined;
    }

    private static HintNames NamesOf(string line)
    {
        if (line.Length == 0)
        {
            return HintNames.Any;
        }

        var names = default(HintNames);
        foreach (var name in line.Split(Between))
        {
            names = names.With(name);
        }

        return names;
    }
}
