namespace Kaiju.Tasks.Validation;

/// <summary>What is wrong with one definition, and what the caller's own code threw first.</summary>
internal sealed class DefinitionFaults
{
    public List<string> All { get; } = [];

    public Exception? Cause { get; private set; }

    public void Add(string fault, Exception? cause = null)
    {
        All.Add(fault);
        Cause ??= cause;
    }

    /// <exception cref="TaskValidationException">Something is wrong.</exception>
    public void ThrowIfAny(string? taskId)
    {
        if (All.Count > 0)
        {
            throw new TaskValidationException(taskId, All, Cause);
        }
    }
}
