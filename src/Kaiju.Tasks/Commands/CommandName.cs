using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>The rule for the names of commands.</summary>
internal static class CommandName
{
    /// <summary>The rule, as the end of a message about a name.</summary>
    public static readonly string Rule =
        $"it must have 1 to {TaskLimits.MaxNameLength} characters, not only blanks.";

    /// <summary>Returns the end of a message about an invalid name; null if the name is valid.</summary>
    public static string? FindFault(string? name) => name switch
    {
        null => $"is null; {Rule}",
        "" => $"is \"\"; {Rule}",
        { Length: > TaskLimits.MaxNameLength } => $"is {JsonText.Quote(name)} with {name.Length} characters; {Rule}",
        _ when string.IsNullOrWhiteSpace(name) => $"is {JsonText.Quote(name)}; {Rule}",
        _ => StorableText.FindFault(name),
    };
}
