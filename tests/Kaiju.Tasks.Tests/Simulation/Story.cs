using System.Globalization;
using System.Text;

namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>The events: time, process, event. The same seed gives the same text, byte for byte.</summary>
internal sealed class Story(Agenda agenda)
{
    private readonly StringBuilder _text = new();

    /// <summary>One line.</summary>
    public void Tell(
        string who,
        [System.Runtime.CompilerServices.InterpolatedStringHandlerArgument("", "who")] ref Line line) =>
            _text.AppendLine();

    public override string ToString() => _text.ToString();

    /// <summary>A short name for an id.</summary>
    public static string Short(Guid id) => id.ToString("N", CultureInfo.InvariantCulture)[..6];

    /// <inheritdoc cref="Short(Guid)"/>
    public static string Short(string id) => id.Length == 36 ? id[..6] : id;

    /// <summary>Writes directly into the text, since there are many thousand lines and most are never read.</summary>
    [System.Runtime.CompilerServices.InterpolatedStringHandler]
    internal struct Line
    {
        private StringBuilder.AppendInterpolatedStringHandler _handler;

        public Line(int literalLength, int formattedCount, Story story, string who)
        {
            story.StayOnThread();
            var now = story.Now;
            story._text.Append(
                CultureInfo.InvariantCulture,
                $"{now.Hour:00}:{now.Minute:00}:{now.Second:00}.{now.Millisecond:000}  {who,-12} ");
            _handler = new StringBuilder.AppendInterpolatedStringHandler(
                literalLength, formattedCount, story._text, CultureInfo.InvariantCulture);
        }

        public void AppendLiteral(string value) => _handler.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _handler.AppendFormatted(value);
    }

    private void StayOnThread() => agenda.StayOnThread();

    private DateTimeOffset Now => agenda.Now;
}
