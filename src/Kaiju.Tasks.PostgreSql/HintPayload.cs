using System.Globalization;
using System.Text;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// A hint as the payload of a NOTIFY: the number of the kinds, the sender, the apps and the ids of tasks. Each has a
/// line of its own, with tabs between names; an empty line stands for any name. A version that knows only the number
/// treats the rest as a hint about anything. So does this version with a payload that it cannot read.
/// </summary>
internal static class HintPayload
{
    /// <summary>The most bytes of a payload: PostgreSQL takes less than 8,000.</summary>
    public const int MostBytes = 7_000;

    private const char Line = '\n';
    private const char Between = '\t';

    /// <param name="hint">The hint.</param>
    /// <param name="sender">The process that published the hint to its own listeners; empty for none.</param>
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
    /// The names with tabs between them. Empty, which stands for any name, if they are too long or would be misread.
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
