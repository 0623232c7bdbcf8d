namespace Kaiju.Tasks.Templates;

/// <summary>When a template or a condition failed.</summary>
internal enum TemplatePhase
{
    /// <summary>While it was read, before there was any data.</summary>
    Parse,

    /// <summary>While a template was filled.</summary>
    Fill,

    /// <summary>While a filled condition was evaluated.</summary>
    Condition,
}

/// <summary>A template or a condition failed. Nothing of it has taken effect.</summary>
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
