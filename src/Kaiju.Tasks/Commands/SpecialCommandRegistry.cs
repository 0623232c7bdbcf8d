using System.Collections.Frozen;

namespace Kaiju.Tasks.Commands;

/// <summary>The special commands by method. The two that ship are registered like any other.</summary>
internal sealed class SpecialCommandRegistry(IEnumerable<SpecialCommand> commands)
{
    // Of two with the same method the last one counts, so that a host can put its own in the place of one that ships.
    private readonly FrozenDictionary<string, SpecialCommand> _commands =
        commands.GroupBy(command => command.Method).ToFrozenDictionary(group => group.Key, group => group.Last());

    public SpecialCommand? Find(string method) => _commands.GetValueOrDefault(method);
}
