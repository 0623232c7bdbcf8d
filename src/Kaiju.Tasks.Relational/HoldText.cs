namespace Kaiju.Tasks.Relational;

/// <summary>
/// The part of a statement that finds the hold of a queued task, as <see cref="Lifecycle.TaskRouting.HoldOf"/> decides:
/// the most specific row counts.
/// </summary>
internal static class HoldText
{
    /// <param name="holds">The name of the table.</param>
    /// <param name="app">The task's app, as SQL.</param>
    /// <param name="method">The method of its stage, as SQL.</param>
    public static string Of(string holds, string app, string method) =>
        $"""
        coalesce(
            (select h.hold from {holds} h where h.app = {app} and h.method = {method}),
            (select h.hold from {holds} h where h.app = '' and h.method = {method}),
            (select h.hold from {holds} h where h.app = {app} and h.method = ''), 0)
        """;
}
