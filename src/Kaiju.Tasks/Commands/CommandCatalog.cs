using System.Collections.Frozen;

namespace Kaiju.Tasks.Commands;

/// <summary>The handlers of this process by method, bound once.</summary>
internal sealed class CommandCatalog(CommandRegistrations registrations, BindingHost host)
{
    private readonly FrozenDictionary<string, CommandHandler> _handlers =
        registrations.All.ToFrozenDictionary(registration => registration.Method, registration => registration.Bind(host), StringComparer.Ordinal);

    public CommandHandler? Find(string method) => _handlers.GetValueOrDefault(method);

    /// <summary>For the message of a command that is not there.</summary>
    public IEnumerable<string> Methods => _handlers.Keys.Order(StringComparer.Ordinal);
}
