namespace Kaiju.Tasks;

/// <summary>Marks a method as a command, for <see cref="KaijuTasksBuilder.AddCommands{T}"/>.</summary>
/// <param name="method">The name by which tasks ask for it, such as <c>billing.charge</c>.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CommandAttribute(string method) : Attribute
{
    /// <summary>The name by which tasks ask for it.</summary>
    public string Method { get; } = method;
}

/// <summary>
/// Marks the parameter of a handler that takes the command's params as a whole, instead of one member by its name.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class ParamsAttribute : Attribute;
