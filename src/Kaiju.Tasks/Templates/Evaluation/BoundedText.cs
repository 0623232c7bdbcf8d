using System.Text;

namespace Kaiju.Tasks.Templates;

/// <summary>Builds a text, charges its characters to the budget, and fails if it exceeds the output limit.</summary>
internal sealed class BoundedText(Evaluation evaluation)
{
    private readonly StringBuilder _text = new();

    public void Append(string part)
    {
        evaluation.Scan(part.Length);
        evaluation.RequireRoom(_text.Length + part.Length);
        _text.Append(part);
    }

    public override string ToString() => _text.ToString();
}
