namespace Kaiju.Tasks.Storage;

/// <summary>Decides about one task whether a query selects it.</summary>
internal static class QueryFilter
{
    /// <summary>True if the query selects the task.</summary>
    /// <param name="query">The query.</param>
    /// <param name="task">
    /// The definition. Its commands are used only for <see cref="TaskQuery.Method"/>.
    /// </param>
    /// <param name="state">The state.</param>
    /// <param name="created">The time of the task's creation.</param>
    public static bool Selects(this TaskQuery query, TaskDefinition task, ManagedState state, DateTimeOffset created) =>
        (query.State is null || query.State == state.State)
        && (query.States is null || query.States.Contains(state.State))
        && (query.IsFinal is null || query.IsFinal == state.HasEnded)
        && (query.IsEnabled is null || query.IsEnabled == task.Enabled)
        && (query.Method is null || query.Method == task.Commands[state.Stage].Method)
        && (query.AppName is null || query.AppName == task.AppName)
        && (query.Group is null || query.Group == task.Group)
        && (query.GroupId is null || query.GroupId == task.GroupId)
        && (query.UserId is null || query.UserId == task.UserId)
        && (query.IsPeriodic is null || query.IsPeriodic == task.Cron is not null)
        && (query.IdPrefix is null || task.Id!.StartsWith(query.IdPrefix, StringComparison.Ordinal))
        && (query.CreatedFrom is null || created >= query.CreatedFrom)
        && (query.CreatedTo is null || created < query.CreatedTo);
}
