using System.Text.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>Runs one command: binds the params, calls the user's code, gives its result as JSON.</summary>
/// <param name="services">A scope for this stage alone.</param>
/// <param name="context">The stage.</param>
/// <param name="parameters">The filled params; undefined if there are none.</param>
/// <param name="cancellationToken">Cancelled when the stage must stop.</param>
internal delegate ValueTask<JsonElement> CommandHandler(
    IServiceProvider services, StageContext context, JsonElement parameters, CancellationToken cancellationToken);

/// <summary>What binding a command's parameters needs to know of the host.</summary>
/// <param name="Services">Says which types are services.</param>
/// <param name="Serializing">How user types become JSON.</param>
internal sealed record BindingHost(RegisteredServices Services, JsonSerializerOptions Serializing);

/// <summary>
/// A command while its handler is made. What is wrong is collected, so that one start names everything.
/// </summary>
/// <param name="Registration">The command.</param>
/// <param name="Host">What is known of the host.</param>
/// <param name="Faults">Where the faults of all commands go.</param>
internal sealed record CommandBinding(CommandRegistration Registration, BindingHost Host, ICollection<string> Faults)
{
    /// <summary>The command for a message: its name and its place.</summary>
    public string Command => $"The command \"{Registration.Method}\" of {Registration.Place}";

    public void Refuse(string why) => Faults.Add($"{Command}: {why}");
}

/// <summary>A command as it was registered.</summary>
/// <param name="Method">Its name.</param>
/// <param name="Place">Where it was registered, to be found by a person.</param>
/// <param name="Bind">
/// Makes its handler, once, when the host starts; null if it cannot be made, and then a fault says why.
/// </param>
internal sealed record CommandRegistration(string Method, string Place, Func<CommandBinding, CommandHandler?> Bind);

/// <summary>
/// All commands that were registered, in one place of the service collection, so that registering twice can be seen.
/// </summary>
internal sealed class CommandRegistrations
{
    private readonly List<CommandRegistration> _all = [];

    public void Add(CommandRegistration registration) => _all.Add(registration);

    public IReadOnlyList<CommandRegistration> All => _all;

    /// <summary>What is wrong with them as a whole.</summary>
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
