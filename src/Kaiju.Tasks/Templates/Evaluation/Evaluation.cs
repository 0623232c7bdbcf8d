using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>
/// One evaluation of a template or a condition: its data, its budget, and its current place for errors.
/// </summary>
internal sealed class Evaluation(TemplateData data, TemplateBudget budget, TemplatePhase phase)
{
    // A lookup visits the members of an object. A visit is cheap, but many lookups in a large object are not.
    private const int MembersPerStep = 32;

    private TemplatePlace _place = TemplatePlace.Root("$");
    private string? _text;
    private JsonElement _source;

    public TemplateData Data { get; } = data;

    public TemplateBudget Budget { get; } = budget;

    /// <summary>Sets the template string to which errors refer from now on.</summary>
    public void At(TemplatePlace place, string text) => (_place, _text) = (place, text);

    /// <summary>Sets the part of a condition to which errors refer from now on.</summary>
    public void At(TemplatePlace place, JsonElement source) => (_place, _text, _source) = (place, null, source);

    public void Step(long steps = 1)
    {
        if (!Budget.TryStep(steps))
        {
            throw TooManySteps();
        }
    }

    /// <summary>Charges a number of characters that are read, compared or written.</summary>
    public void Scan(long characters)
    {
        if (!Budget.TryScan(characters))
        {
            throw TooManySteps();
        }
    }

    public void Output(long bytes)
    {
        if (!Budget.TryOutput(bytes))
        {
            throw TooMuchOutput();
        }
    }

    /// <summary>Fails if a value of this length cannot fit into the output.</summary>
    public void RequireRoom(long length)
    {
        if (length > Budget.OutputLeft)
        {
            throw TooMuchOutput();
        }
    }

    public void RequireDepth(int depth)
    {
        if (depth > Budget.MaxDepth)
        {
            throw TooDeep();
        }
    }

    public TemplateException TooDeep() =>
        Fail(TemplateErrorKind.LimitExceeded, $"the value is nested deeper than {Budget.MaxDepth} levels.");

    public TemplateException Fail(string kind, string reason) =>
        new(_text is null && phase == TemplatePhase.Condition
            ? new TemplateFault(_place, "", kind, reason).OfFilled(_source)
            : new TemplateFault(_place, _text ?? "", kind, reason), phase);

    public TemplateException TypeError(string reason) => Fail(TemplateErrorKind.TypeError, reason);

    public TemplateException ValueError(string reason) => Fail(TemplateErrorKind.ValueError, reason);

    public string ReadText(JsonElement element)
    {
        Scan(JsonMarshal.GetRawUtf8Value(element).Length);
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw HalfCharacter();
        }
    }

    public string ReadName(JsonProperty member)
    {
        try
        {
            var name = member.Name;
            Scan(name.Length);
            return name;
        }
        catch (InvalidOperationException)
        {
            throw HalfCharacter();
        }
    }

    public bool TryGetMember(JsonElement value, string name, out JsonElement member)
    {
        Step(1 + (value.GetPropertyCount() / MembersPerStep));
        try
        {
            return value.TryGetProperty(name, out member);
        }
        catch (InvalidOperationException)
        {
            throw HalfCharacter();
        }
    }

    // JSON can contain a lone surrogate ("\ud800"). System.Text.Json accepts it but cannot read it as text.
    private TemplateException HalfCharacter() =>
        ValueError("a text of the data holds half a surrogate pair, which is not valid text.");

    private TemplateException TooManySteps() =>
        Fail(TemplateErrorKind.LimitExceeded, $"filling the command takes more than {Budget.MaxSteps} steps.");

    private TemplateException TooMuchOutput() =>
        Fail(TemplateErrorKind.LimitExceeded, $"the filled command is larger than {Budget.MaxOutputBytes} bytes.");
}
