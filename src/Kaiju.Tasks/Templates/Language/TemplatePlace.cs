using System.Globalization;
using System.Text;

namespace Kaiju.Tasks.Templates;

/// <summary>A place in a JSON value, such as <c>params.items[2]</c>.</summary>
/// <remarks>
/// A place refers to its parent, and its text is made only for an error or a reference. So a thousand templates under
/// one long key do not copy that key a thousand times.
/// </remarks>
internal sealed class TemplatePlace
{
    private const int LongestName = 60;

    private readonly TemplatePlace? _parent;
    private readonly string? _name;
    private readonly int _index;

    private TemplatePlace(TemplatePlace? parent, string? name, int index)
    {
        _parent = parent;
        _name = name;
        _index = index;
    }

    /// <summary>
    /// The whole value. With an empty name, its members have no prefix: <c>params</c>, not <c>$.params</c>.
    /// </summary>
    public static TemplatePlace Root(string name) => new(null, name, 0);

    public TemplatePlace Member(string name) => new(this, name, 0);

    public TemplatePlace Item(int index) => new(this, null, index);

    public override string ToString()
    {
        var steps = new Stack<TemplatePlace>();
        for (var step = this; step is not null; step = step._parent)
        {
            steps.Push(step);
        }

        var text = new StringBuilder(steps.Pop()._name);
        foreach (var step in steps)
        {
            step.AppendTo(text);
        }

        return text.ToString();
    }

    private void AppendTo(StringBuilder text)
    {
        if (_name is null)
        {
            text.Append(CultureInfo.InvariantCulture, $"[{_index}]");
        }
        else if (_name.Length > 0 && _name.All(c => char.IsLetterOrDigit(c) || c is '_' or '-'))
        {
            text.Append(text.Length == 0 ? "" : ".").Append(ErrorText.Cut(_name, LongestName));
        }
        else
        {
            text.Append("[\"").Append(ErrorText.Cut(_name, LongestName)).Append("\"]");
        }
    }
}
