using System.Text.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>Runs one command: binds the params, calls the handler and returns the outcome.</summary>
/// <param name="services">The services of the stage's scope.</param>
/// <param name="context">The context of the stage.</param>
/// <param name="parameters">The params with their templates filled; undefined without params.</param>
/// <param name="cancellationToken">Cancelled when the stage must stop.</param>
internal delegate ValueTask<StageOutcome> CommandHandler(
    IServiceProvider services, StageContext context, JsonElement parameters, CancellationToken cancellationToken);

/// <summary>The parts of the host that the binding of parameters needs.</summary>
/// <param name="Services">The registered services.</param>
/// <param name="Serializing">The JSON serialization of the host's types.</param>
internal sealed record BindingHost(RegisteredServices Services, JsonSerializerOptions Serializing);

/// <summary>
/// The binding of one command to its handler. Faults are collected, so that one failed start names all of them.
/// </summary>
/// <param name="Registration">The command.</param>
/// <param name="Host">The services and the serialization of the host.</param>
/// <param name="Faults">The collection of the faults of all commands.</param>
internal sealed record CommandBinding(CommandRegistration Registration, BindingHost Host, ICollection<string> Faults)
{
    /// <summary>The command for a message: its name and its place.</summary>
    public string Command => $"The command \"{Registration.Method}\" of {Registration.Place}";

    public void Refuse(string why) => Faults.Add($"{Command}: {why}");
}

/// <summary>A command as it was registered.</summary>
/// <param name="Method">The command's name.</param>
/// <param name="Place">The place of the registration in the source code, for messages.</param>
/// <param name="Bind">
/// The function that makes the handler when the host starts. It returns null and adds a fault if the handler cannot be
/// made.
/// </param>
internal sealed record CommandRegistration(string Method, string Place, Func<CommandBinding, CommandHandler?> Bind);

/// <summary>
/// All registered commands, in one object of the service collection, so that duplicate names are found.
/// </summary>
internal sealed class CommandRegistrations
{
    private readonly List<CommandRegistration> _all = [];

    public void Add(CommandRegistration registration) => _all.Add(registration);

    public IReadOnlyList<CommandRegistration> All => _all;

    /// <summary>Returns a message for each name that is registered more than once.</summary>
    public IEnumerable<string> FindFaults()
    {
        foreach (var same in _all.GroupBy(registration => registration.Method, StringComparer.Ordinal)
            .Where(group => group.Count() > 1))
        {
            var places = string.Join(" and ", same.Select(registration => registration.Place));
            yield return $"The command \"{same.Key}\" is registered {same.Count()} times: {places}. Each name can "
                + "stand for one handler only.";
        }
    }
}
