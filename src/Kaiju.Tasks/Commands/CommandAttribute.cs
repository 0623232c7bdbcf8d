namespace Kaiju.Tasks;

/// <summary>Marks a method as a command, for <see cref="KaijuTasksBuilder.AddCommands{T}"/>.</summary>
/// <param name="method">The command's name, 1 to 200 characters, such as <c>billing.charge</c>.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CommandAttribute(string method) : Attribute
{
    /// <summary>The command's name.</summary>
    public string Method { get; } = method;
}

/// <summary>
/// Marks a handler's parameter that takes the command's params as a whole, instead of one member by its name.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class ParamsAttribute : Attribute;
