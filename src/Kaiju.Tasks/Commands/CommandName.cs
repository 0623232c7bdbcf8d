using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>What the name of a command may be, wherever one is registered.</summary>
internal static class CommandName
{
    /// <summary>The end of a message about a name.</summary>
    public static readonly string Rule =
        $"it must have 1 to {TaskLimits.MaxNameLength} characters, not only blanks.";

    /// <summary>What is wrong with a name; null if nothing is.</summary>
    public static string? FindFault(string? name) => name switch
    {
        null => $"is null; {Rule}",
        "" => $"is \"\"; {Rule}",
        { Length: > TaskLimits.MaxNameLength } => $"is {JsonText.Quote(name)} with {name.Length} characters; {Rule}",
        _ when string.IsNullOrWhiteSpace(name) => $"is {JsonText.Quote(name)}; {Rule}",
        _ => StorableText.FindFault(name),
    };
}
