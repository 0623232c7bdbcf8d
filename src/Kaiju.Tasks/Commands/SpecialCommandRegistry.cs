using System.Collections.Frozen;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>The special commands by their names. The two built-in ones are registered like any other.</summary>
internal sealed class SpecialCommandRegistry(IEnumerable<SpecialCommand> commands)
{
    private readonly SpecialCommand[] _all = [.. commands];

    // The last of two commands with the same method counts, so that a host can replace a built-in one.
    private readonly FrozenDictionary<string, SpecialCommand> _commands = commands
        .Where(command => command.Method is not null)
        .GroupBy(command => command.Method)
        .ToFrozenDictionary(group => group.Key, group => group.Last());

    /// <summary>The names of all special commands.</summary>
    public IEnumerable<string> Methods => _commands.Keys;

    public SpecialCommand? Find(string method) => _commands.GetValueOrDefault(method);

    /// <summary>
    /// Returns a message for each invalid name, and for each name that the host registered more than once.
    /// </summary>
    public IEnumerable<string> FindFaults()
    {
        foreach (var command in _all)
        {
            if (CommandName.FindFault(command.Method) is { } fault)
            {
                yield return $"The name of the special command {TypeText.Of(command.GetType())} {fault}";
            }
        }

        var own = _all.Where(
            command => command.Method is not null && command is not (TimerSpecialCommand or MessageSpecialCommand));
        foreach (var same in own.GroupBy(command => command.Method, StringComparer.Ordinal)
            .Where(group => group.Count() > 1))
        {
            var types = string.Join(" and ", same.Select(command => TypeText.Of(command.GetType())));
            yield return $"The special command \"{same.Key}\" is registered {same.Count()} times: {types}. Each name "
                + "can stand for one special command only.";
        }
    }
}
