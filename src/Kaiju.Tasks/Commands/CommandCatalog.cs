using System.Collections.Frozen;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Commands;

/// <summary>The handlers of this process by their commands' names, bound once.</summary>
internal sealed class CommandCatalog
{
    private readonly FrozenDictionary<string, CommandHandler> _handlers;

    /// <exception cref="OptionsValidationException">
    /// Handlers cannot be bound; the message names all of them.
    /// </exception>
    public CommandCatalog(CommandRegistrations registrations, BindingHost host)
    {
        var faults = new List<string>();
        var handlers = Bind(registrations, host, faults);
        _handlers = faults.Count == 0
            ? handlers.ToFrozenDictionary(pair => pair.Method, pair => pair.Handler!, StringComparer.Ordinal)
            : throw new OptionsValidationException(Options.DefaultName, typeof(KaijuTasksOptions), faults.Distinct());
    }

    public CommandHandler? Find(string method) => _handlers.GetValueOrDefault(method);

    /// <summary>The names of all commands, for the message about an unknown command.</summary>
    public IEnumerable<string> Methods => _handlers.Keys.Order(StringComparer.Ordinal);

    /// <summary>Returns why handlers cannot be bound, one message for each.</summary>
    public static IEnumerable<string> FindFaults(CommandRegistrations registrations, BindingHost host)
    {
        var faults = new List<string>();
        Bind(registrations, host, faults);
        return faults.Distinct();
    }

    private static List<(string Method, CommandHandler? Handler)> Bind(
        CommandRegistrations registrations, BindingHost host, List<string> faults) =>
        [.. registrations.All.Select(
            registration => (registration.Method, registration.Bind(new CommandBinding(registration, host, faults))))];
}
