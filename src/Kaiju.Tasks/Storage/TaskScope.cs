namespace Kaiju.Tasks.Storage;

/// <summary>
/// The tasks that a caller may reach: those that match each list that is set. A task without a group or a user matches
/// no list of groups or users. Names are compared by ordinal.
/// </summary>
public sealed class TaskScope
{
    /// <summary>The apps whose tasks are in the scope. Default: null, for all.</summary>
    public IReadOnlyCollection<string>? Apps { get; init; }

    /// <summary>
    /// The values of <see cref="TaskDefinition.Group"/> that are in the scope. Default: null, for all.
    /// </summary>
    public IReadOnlyCollection<string>? Groups { get; init; }

    /// <summary>
    /// The values of <see cref="TaskDefinition.UserId"/> that are in the scope. Default: null, for all.
    /// </summary>
    public IReadOnlyCollection<string>? Users { get; init; }

    /// <summary>True if a task is in the scope.</summary>
    /// <param name="appName">The task's app.</param>
    /// <param name="group">The task's group, or null.</param>
    /// <param name="userId">The task's user, or null.</param>
    public bool Includes(string? appName, string? group, string? userId) =>
        Has(Apps, appName) && Has(Groups, group) && Has(Users, userId);

    /// <summary>True if every task of an app is in the scope; null stands for all apps.</summary>
    internal bool IncludesApp(string? appName) => Groups is null && Users is null && Has(Apps, appName);

    private static bool Has(IReadOnlyCollection<string>? names, string? name) =>
        names is null || (name is not null && names.Contains(name, StringComparer.Ordinal));
}
