namespace Kaiju.Tasks.Validation;

/// <summary>The faults of one definition, and the first exception that the caller's code threw.</summary>
internal sealed class DefinitionFaults
{
    public List<string> All { get; } = [];

    public Exception? Cause { get; private set; }

    public void Add(string fault, Exception? cause = null)
    {
        All.Add(fault);
        Cause ??= cause;
    }

    /// <exception cref="TaskValidationException">There is at least one fault.</exception>
    public void ThrowIfAny(string? taskId)
    {
        if (All.Count > 0)
        {
            throw new TaskValidationException(taskId, All, Cause);
        }
    }
}
