using Kaiju.Tasks.Serialization;

namespace Kaiju.Tasks.Commands;

/// <summary>What the name of a command may be, wherever one is registered.</summary>
internal static class CommandName
{
    private static readonly string _rule = $"it must have 1 to {TaskDefinitionChecker.MaxNameLength} characters, not only blanks.";

    /// <summary>What is wrong with a name; null if nothing is.</summary>
    public static string? FindFault(string? name) => name switch
    {
        null => $"is null; {_rule}",
        "" => $"is \"\"; {_rule}",
        { Length: > TaskDefinitionChecker.MaxNameLength } => $"is {JsonText.Quote(name)} with {name.Length} characters; {_rule}",
        _ when string.IsNullOrWhiteSpace(name) => $"is {JsonText.Quote(name)}; {_rule}",
        _ => JsonText.FindFault(name),
    };
}
