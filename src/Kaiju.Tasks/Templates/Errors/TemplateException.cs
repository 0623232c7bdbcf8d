namespace Kaiju.Tasks.Templates;

/// <summary>The phases in which a template or a condition can fail.</summary>
internal enum TemplatePhase
{
    /// <summary>Parsing, without data.</summary>
    Parse,

    /// <summary>Filling a template.</summary>
    Fill,

    /// <summary>Evaluating a filled condition.</summary>
    Condition,
}

/// <summary>A template or a condition failed. It had no effect.</summary>
internal sealed class TemplateException(TemplateFault fault, TemplatePhase phase) : Exception(fault.Message)
{
    public TemplatePhase Phase { get; } = phase;

    /// <inheritdoc cref="TemplateFault.Kind"/>
    public string Kind => fault.Kind;

    /// <inheritdoc cref="TemplateFault.Place"/>
    public string Place => fault.Place;

    /// <inheritdoc cref="TemplateFault.Text"/>
    public string Text => fault.Text;

    /// <inheritdoc cref="TemplateFault.Reason"/>
    public string Reason => fault.Reason;
}
